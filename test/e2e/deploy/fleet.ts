/** The fleet of inventory/ha in the tests' lab, and what its members say over HTTP. */
import { expect } from 'vitest'
import { type Ended, vestal } from '../vestal.ts'
import { haWith } from './inventories.ts'

/** Addresses by the names that inventory/ha gives them. */
export const ADDRESSES = {
  'prom-1': '10.88.0.11',
  'prom-2': '10.88.0.12',
  'am-1': '10.88.0.13',
  'am-2': '10.88.0.14',
  'am-3': '10.88.0.15',
  'node-1': '10.88.0.16',
} as const
export type Member = keyof typeof ADDRESSES
export const MEMBERS = Object.keys(ADDRESSES) as readonly Member[]
export const REPLICAS = ['prom-1', 'prom-2'] as const
export const ALERTMANAGERS = ['am-1', 'am-2', 'am-3'] as const
/** A host that inventory/ha leaves alone. */
export const SPARE = '10.88.0.17'

/** How long a member of the faster fleet waits for each before it to notify, in seconds. */
export const PEER_TIMEOUT_S = 2
/** inventory/ha with less waiting between notifications, other flags for every Prometheus and Alertmanager, and another node_exporter. */
export const fasterFleet = (): string =>
  haWith({
    all: { node_exporter: { version: '1.9.0' } },
    prometheus: { prometheus: { retention: { time: '10d' } } },
    alertmanager: {
      alertmanager: {
        cluster: { peer_timeout: `${PEER_TIMEOUT_S}s` },
        config: { route: { group_interval: '12s' } },
      },
    },
  })

/** Runs a command and expects that all went well. */
export const wentWell = async (command: string, ...words: readonly string[]): Promise<Ended> => {
  const ended = await vestal([command, '--json', ...words])
  expect({ code: ended.code, failures: failuresOf(ended) }).toEqual({ code: 0, failures: [] })
  return ended
}
export const deploy = (...words: readonly string[]): Promise<Ended> => wentWell('deploy', ...words)

/** These members as an inventory's `hosts`. */
export const hostsOf = (names: readonly Member[]): Readonly<Record<string, { readonly ansible_host: string }>> =>
  Object.fromEntries(names.map((name) => [name, { ansible_host: ADDRESSES[name] }]))

/** What went wrong in a `deploy --json`, in words. */
export const failuresOf = ({ events, stderr }: Ended): readonly string[] => [
  ...events.flatMap((event) => {
    if (event.event === 'host-failed') return [`${event.host}: ${event.task}: ${event.why}`]
    if (event.event === 'gate' && event.last && !event.verdict.pass)
      return [`${event.host}: ${event.name}: ${event.verdict.why}`]
    return []
  }),
  ...stderr.split('\n').filter(Boolean),
]

/** The JSON that a member answers with, asked from the lab's network. */
export const ask = async <T>(member: Member, port: number, path: string): Promise<T> => {
  const answer = await fetch(`http://${ADDRESSES[member]}:${port}${path}`, { signal: AbortSignal.timeout(10_000) })
  if (!answer.ok) throw new Error(`${member}: ${path} answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as T
}
