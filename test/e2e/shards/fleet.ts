/** The fleet of `inventory/global` in the lab: who is where, and how its one place to ask is asked. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { rolesFor } from '../../../roles/registry.ts'
import { type Ended, onHost, project, vestal } from '../vestal.ts'

export const GLOBAL = join(project, 'inventory/global')

const { hosts } = await loadInventory([GLOBAL], await rolesFor([GLOBAL]))

/** Where a host of the inventory is. */
export const addressOf = (name: string): string => {
  const host = hosts.find((one) => one.name === name)
  if (!host) throw new Error(`there is no ${name}`)
  return host.address
}

export const at = (name: string, command: string): Promise<string> => onHost(addressOf(name), command)

/** Runs a command on the inventory, without asking. Throws an Error with its words unless it exits as expected. */
export const on = async (words: readonly string[], expected = 0, inventory = GLOBAL): Promise<Ended> => {
  const [first = '', ...rest] = words
  const ended = await vestal([first, ...rest, '-i', inventory])
  if (ended.code !== expected)
    throw new Error(`vestal ${words.join(' ')} ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`)
  return ended
}

/** An answer of the API of Prometheus, which Query has as well. */
export interface Answer {
  readonly status: 'success' | 'error'
  readonly error?: string
  readonly warnings?: readonly string[]
  readonly data?: { readonly result: readonly Series[] }
}
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value?: readonly [number, string]
  readonly values?: readonly (readonly [number, string])[]
}

/** Asks a question at `address:port`. Throws an Error where nothing answers within 30 s. */
export const ask = async (
  place: string,
  query: string,
  options: Readonly<Record<string, string | number>> = {},
): Promise<Answer> => {
  const words = new URLSearchParams({
    query,
    ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)])),
  })
  const path = 'start' in options ? 'query_range' : 'query'
  const answer = await fetch(`http://${place}/api/v1/${path}?${words}`, { signal: AbortSignal.timeout(30_000) })
  return (await answer.json()) as Answer
}

/** The number that a question is answered with; NaN where it is none. */
export const numberOf = ({ data }: Answer): number => Number(data?.result[0]?.value?.[1] ?? 'none')

/** Waits until a question is answered yes; returns how long it took in ms. Throws an Error with its name when time is up. */
export const until = async (what: string, question: () => Promise<boolean>, withinMs: number): Promise<number> => {
  const began = Date.now()
  for (;;) {
    if (await question().catch(() => false)) return Date.now() - began
    if (Date.now() - began > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`)
    await sleep(100)
  }
}

/** The one address, and its ports. */
export const ONE = '10.88.0.200'
export const QUERIES = `${ONE}:8090`

/** What lab.ts calls a host of the inventory. */
export const machineOf = (name: string): string => `lab-${Number(addressOf(name).split('.').at(-1)) - 10}`

/** What became of questions that were asked one after the other, ten in a second. */
export interface Asked {
  readonly questions: number
  /** Those that got no answer, or an error. */
  readonly failed: number
  /** Those whose answer said that it lacks something. */
  readonly partial: number
  /** The longest time without any answer, in ms. */
  readonly longestGapMs: number
  /** The longest that one of them took, in ms. */
  readonly slowestMs: number
  /** The answers' numbers, each once. */
  readonly numbers: readonly number[]
  /** Why some got none, each once. */
  readonly whys: readonly string[]
}

/** Asks for a number ten times in a second, whether the one before was answered or not, until it is ended. */
export const startAsking = (query: string, place = QUERIES) => {
  const stop = new AbortController()
  const [arrivals, took, numbers] = [[Date.now()], [0], new Set<number>()]
  let [questions, failed, partial] = [0, 0, 0]
  const whys = new Set<string>()
  const one = async (): Promise<void> => {
    const began = Date.now()
    questions += 1
    const answer = await ask(place, query).catch((error: unknown) => String(error))
    took.push(Date.now() - began)
    if (typeof answer === 'string' || Number.isNaN(numberOf(answer))) {
      failed += 1
      if (whys.size < 20) whys.add((typeof answer === 'string' ? answer : JSON.stringify(answer)).slice(0, 300))
      return
    }
    arrivals.push(Date.now())
    if (answer.warnings) partial += 1
    numbers.add(numberOf(answer))
  }
  const asked: Promise<void>[] = []
  const loop = (async () => {
    while (!stop.signal.aborted) {
      asked.push(one())
      await sleep(100, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  })()
  return {
    async end(): Promise<Asked> {
      stop.abort()
      await loop
      // What is still under way when no more is asked may come, or not: the time without an answer ends here.
      arrivals.push(Date.now())
      await Promise.all(asked)
      arrivals.sort((one, other) => one - other)
      const gaps = arrivals.slice(1).map((at, index) => at - (arrivals[index] ?? at))
      return {
        questions,
        failed,
        partial,
        longestGapMs: Math.max(...gaps),
        slowestMs: Math.max(...took),
        numbers: [...numbers],
        whys: [...whys],
      }
    },
  }
}
