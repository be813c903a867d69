import type { ScalarTag } from 'yaml'

/**
 * How a plain scalar is read: YAML 1.1 as PyYAML does it, which is what Ansible reads inventories with. So `yes` is true,
 * `0640` is octal, `22:22` is a number to base 60 and `1e3` is text, in Vestal as in `ansible-inventory`.
 * Source: PyYAML 6, yaml/resolver.py and yaml/constructor.py.
 */
export const pyYamlScalars: ScalarTag[] = [
  {
    tag: 'tag:yaml.org,2002:null',
    default: true,
    test: /^(?:~|null|Null|NULL|)$/,
    resolve: () => null,
  },
  {
    tag: 'tag:yaml.org,2002:bool',
    default: true,
    test: /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
    resolve: (text) => /^(?:yes|true|on)$/i.test(text),
  },
  {
    tag: 'tag:yaml.org,2002:float',
    default: true,
    test: /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
    resolve: (text) => signed(text, float),
  },
  {
    tag: 'tag:yaml.org,2002:int',
    default: true,
    test: /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/,
    resolve: (text) => signed(text, int),
  },
  { tag: '!vault', resolve: (text) => text },
  { tag: '!vault-encrypted', resolve: (text) => text },
  { tag: '!unsafe', resolve: (text) => text },
]

const signed = (text: string, read: (digits: string) => number): number => {
  const digits = text.replaceAll('_', '').toLowerCase()
  return digits.startsWith('-') ? -read(digits.slice(1)) : read(digits.replace(/^\+/, ''))
}

const float = (digits: string): number => {
  if (digits === '.inf') return Number.POSITIVE_INFINITY
  if (digits === '.nan') return Number.NaN
  return digits.includes(':') ? base60(digits) : Number(digits)
}

const int = (digits: string): number => {
  if (digits.includes(':')) return base60(digits)
  return /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)
}

const base60 = (digits: string): number => digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
