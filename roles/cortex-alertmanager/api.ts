/** What an instance of Cortex's Alertmanager says of its ring and of itself; all of it is input from a stranger. */

import { z } from 'zod'
import { ask, type Endpoint, read, refused } from '../../lib/api/endpoint.ts'
import { listOf } from '../../lib/api/forms.ts'
import { HostError } from '../../lib/errors.ts'
import type { Host, Reach } from '../../lib/model.ts'
import { type Web, endpointOf as webEndpointOf } from '../../lib/program/web.ts'
import { askOnHost } from './host-http.ts'
import { cortexOn } from './vars.ts'

/** The page of the ring; a POST to it with `forget` takes an instance out. */
export const RING = '/multitenant_alertmanager/ring'

/** Where an instance is asked from its own host: all its pages, of which those of tenants alone are below its prefix. */
export const endpointOf = (host: Host, vars: Web = cortexOn(host)): Endpoint => ({
  ...webEndpointOf(host, vars),
  prefix: '',
})

/** An instance as another one sees it in the ring. */
export interface Seen {
  readonly id: string
  readonly state: string
  /** How long ago it last said that it is alive, by the clock of who is asked. */
  readonly heartbeatAgeMs: number
  readonly zone: string
  readonly tokens: readonly number[]
}

/** The ring as an instance sees it; null where it is not sharded. Throws HostError where it does not answer so. */
export const ringSeenBy = async (reach: Reach, endpoint: Endpoint): Promise<readonly Seen[] | null> => {
  const asked: Endpoint = { ...endpoint, headers: { accept: 'application/json' } }
  const answer = await ask(reach, asked, RING)
  if (answer.status === 200 && answer.body.includes(UNSHARDED)) return null
  if (answer.status === 200 && answer.body.includes(STARTING))
    throw new HostError(endpoint.host.name, 'it is starting, and shows no ring yet')
  const { shards, now } = read(answer, { endpoint: asked, path: RING, form: RING_FORM })
  const at = Date.parse(now)
  return (shards ?? []).map(({ id, state, timestamp, zone, tokens }) => ({
    id,
    state,
    heartbeatAgeMs: at - goTime(timestamp),
    zone,
    tokens: tokens ?? [],
  }))
}

/** The names of those that an instance gossips with, itself included. Throws HostError where it does not answer so. */
export const gossipSeenBy = async (reach: Reach, endpoint: Endpoint): Promise<readonly string[]> => {
  const asked: Endpoint = { ...endpoint, headers: { accept: 'application/json' } }
  const answer = await ask(reach, asked, '/memberlist')
  const { SortedMembers } = read(answer, { endpoint: asked, path: '/memberlist', form: GOSSIP_FORM })
  return (SortedMembers ?? []).map(({ Name }) => Name)
}

/** Whether its services run and its first synchronisation is done. Throws HostError where nothing answers, or another status. */
export const readyAt = async (reach: Reach, endpoint: Endpoint): Promise<boolean> => {
  const answer = await ask(reach, endpoint, '/ready')
  if (answer.status !== 200 && answer.status !== 503) throw refused(endpoint, '/ready', answer)
  return answer.status === 200
}

/** One series of a page of metrics. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * Metrics of these names. The page has 17 KB for each tenant, so it is looked through on the host and only these lines come over the link.
 * Throws HostError where the host has no bash, which asks, or the instance does not answer.
 */
export const metricsOf = async (
  reach: Reach,
  endpoint: Endpoint,
  names: readonly string[],
): Promise<readonly Sample[]> => {
  const { host } = endpoint
  const page = askOnHost(endpoint, { path: '/metrics' })
  const script = `${page} | grep -aE '^(HTTP/|(${names.join('|')})[ {])'`
  const { code, stdout, stderr } = await (await reach(host)).exec(script, { within: '90s' })
  const [status = '', ...lines] = stdout.toString().split('\n')
  if (code !== 0 || !/^HTTP\/1\.\d 200\b/.test(status))
    throw new HostError(
      host.name,
      `/metrics cannot be read: ${stderr.trim().slice(0, 200) || status.trim() || 'no answer'}`,
    )
  return lines.flatMap(sampleIn)
}

/** The sum of all series of a name. */
export const sumOf = (samples: readonly Sample[], name: string): number =>
  samples.filter((one) => one.name === name).reduce((sum, { value }) => sum + value, 0)

const sampleIn = (line: string): readonly Sample[] => {
  const [, name, inside = '', number] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line.trimEnd()) ?? []
  const value = Number(number)
  if (name === undefined || Number.isNaN(value)) return []
  const labels = Object.fromEntries(
    [...inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [
      key,
      text.replaceAll(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one)),
    ]),
  )
  return [{ name, labels, value }]
}

/** What it answers in place of a ring (cortex `pkg/alertmanager/alertmanager_http.go`). */
const UNSHARDED = 'Alertmanager has no ring because sharding is disabled'
const STARTING = 'Alertmanager is not running yet'

/** As Go prints a time: `2026-11-27 13:48:52 +0000 UTC`. NaN for anything else. */
const goTime = (text: string): number => {
  const [, day, time, zone = ''] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? ([+-]\d{4})/.exec(text) ?? []
  return Date.parse(`${day}T${time}${zone.slice(0, 3)}:${zone.slice(3)}`)
}

const RING_FORM = z.object({
  shards: listOf(
    z.object({
      id: z.string(),
      state: z.string(),
      timestamp: z.string(),
      zone: z.string().default(''),
      tokens: listOf(z.int().min(0)).nullish(),
    }),
  ).nullish(),
  now: z.string(),
})
const GOSSIP_FORM = z.object({ SortedMembers: listOf(z.object({ Name: z.string() })).nullish() })
