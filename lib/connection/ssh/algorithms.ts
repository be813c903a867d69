/** Ciphers, MACs and KexAlgorithms of ssh_config(5), as far as ssh2 has them. Pure. */

/** Strong ones first; those behind are used only where they are asked for by name. Source: ssh2's lib/protocol/constants.js. */
const HAS = {
  kexalgorithms: {
    usual: [
      ...['curve25519-sha256@libssh.org', 'curve25519-sha256'],
      ...['ecdh-sha2-nistp256', 'ecdh-sha2-nistp384', 'ecdh-sha2-nistp521'],
      ...['diffie-hellman-group-exchange-sha256', 'diffie-hellman-group14-sha256', 'diffie-hellman-group15-sha512'],
      ...['diffie-hellman-group16-sha512', 'diffie-hellman-group17-sha512', 'diffie-hellman-group18-sha512'],
    ],
    more: ['diffie-hellman-group-exchange-sha1', 'diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1'],
  },
  ciphers: {
    usual: [
      ...['chacha20-poly1305@openssh.com', 'aes128-gcm@openssh.com', 'aes256-gcm@openssh.com'],
      ...['aes128-ctr', 'aes192-ctr', 'aes256-ctr'],
    ],
    more: ['aes256-cbc', 'aes192-cbc', 'aes128-cbc'],
  },
  macs: {
    usual: [
      ...['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha1-etm@openssh.com'],
      ...['hmac-sha2-256', 'hmac-sha2-512', 'hmac-sha1'],
    ],
    more: [],
  },
} as const

export type AlgorithmSetting = keyof typeof HAS
export const ALGORITHM_SETTINGS = Object.keys(HAS) as readonly AlgorithmSetting[]

/**
 * The algorithms that a setting leaves, best first; none where Vestal can use none of them. A list replaces the usual ones, `+` adds to them, `-` takes
 * away, `^` puts in front, and `*` and `?` stand for others, as in ssh_config(5). Names that ssh2 doesn't know are left out.
 */
export const algorithmsOf = (setting: AlgorithmSetting, value: string): readonly string[] => {
  const { usual, more } = HAS[setting]
  const all: readonly string[] = [...usual, ...more]
  const [, sign, list = ''] = /^([+^-]?)(.*)$/s.exec(value.trim()) ?? []
  const named = list.split(',').flatMap((pattern) => all.filter((name) => fits(pattern.trim(), name)))
  const chosen =
    sign === '-'
      ? usual.filter((name) => !named.includes(name))
      : sign === '+'
        ? [...usual, ...named]
        : sign === '^'
          ? [...named, ...usual]
          : named
  return [...new Set(chosen)]
}

/**
 * Whether a list can be honoured to the letter: none of the names that it asks for is one that ssh2 doesn't know. What a list takes away (`-`) may be anything.
 */
export const isAllOurs = (setting: AlgorithmSetting, value: string): boolean => {
  const all: readonly string[] = [...HAS[setting].usual, ...HAS[setting].more]
  const [, sign, list = ''] = /^([+^-]?)(.*)$/s.exec(value.trim()) ?? []
  return sign === '-' || list.split(',').every((pattern) => all.some((name) => fits(pattern.trim(), name)))
}

const fits = (pattern: string, name: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(name)
