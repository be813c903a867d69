import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { InputError } from '../../lib/errors.ts'

export const parts = ['floor', 'vestal', 'ansible', 'fifty'] as const
export type Part = (typeof parts)[number]

export interface Options {
  readonly only: ReadonlySet<Part>
  /** Whether the parts were named, so that one which cannot be measured is an error. */
  readonly named: boolean
  readonly runs: number
  readonly out: string
  /** The file of another vestal that is measured in the same rounds. */
  readonly beside?: string
}

export const help = `Measures a deploy of six lab machines and of fifty, beside the bare floor and Ansible.

  --only PARTS  some of ${parts.join(',')}; default: all that can be measured here
  --runs N      how often a deploy of machines that are deployed already is measured; default 5, with Ansible at most 3
  --beside FILE another vestal (cli/vestal.js of another checkout or package), measured in the same run
  --out FILE    where the figures go, as JSON; default .vestal/bench.json
  --help        this page
`

/** Returns what the command line asks for, or null for --help. Throws InputError with every mistake. */
export const readOptions = (words: readonly string[]): Options | null => {
  const { only, runs, out, beside, help: wanted } = read(words)
  if (wanted) return null
  const chosen = only?.split(',') ?? parts
  const unknown = chosen.filter((part) => !isPart(part))
  const mistakes = [
    ...unknown.map((part) => ({
      where: '--only',
      what: `there is no part '${part}'`,
      fix: `One of ${parts.join(', ')}.`,
    })),
    ...(beside === undefined || existsSync(beside)
      ? []
      : [{ where: '--beside', what: `there is no file ${beside}`, fix: 'Give its path.' }]),
    ...(/^[1-9]\d*$/.test(runs) ? [] : [{ where: '--runs', what: `'${runs}' is not a whole number from 1` }]),
  ]
  if (mistakes.length > 0) throw new InputError(mistakes)
  return {
    only: new Set(chosen.filter(isPart)),
    named: only !== undefined,
    runs: Number(runs),
    out,
    beside: beside && resolve(beside),
  }
}

const isPart = (word: string): word is Part => parts.some((part) => part === word)

const read = (words: readonly string[]) => {
  try {
    return parseArgs({
      args: [...words],
      options: {
        only: { type: 'string' },
        runs: { type: 'string', default: '5' },
        beside: { type: 'string' },
        out: { type: 'string', default: '.vestal/bench.json' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new InputError([{ where: 'command line', what, fix: 'See npm run bench -- --help.' }])
  }
}
