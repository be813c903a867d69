/** What `status` asks a Prometheus or Alertmanager beside its gates. The same pages as theirs, so that a look which remembers answers asks none twice. */

import { z } from 'zod'
import { ask, askJson, type Endpoint, refused } from '../api/endpoint.ts'
import { listOf } from '../api/forms.ts'
import type { Instance, ProgramStatus, Reach } from '../model.ts'

type Look = Required<Pick<Instance, 'status'>>['status']

/** Targets that are up, alerts that fire, and how far the WAL's replay is. */
export const prometheusStatus =
  (prometheus: Endpoint): Look =>
  async (reach): Promise<ProgramStatus> => {
    const ready = await ask(reach, prometheus, '/-/ready')
    if (ready.status !== 200 && ready.status !== 503) throw refused(prometheus, '/-/ready', ready)
    if (ready.status === 503) {
      const { current, max } = (await askJson(reach, prometheus, { path: '/api/v1/status/walreplay', form: REPLAY }))
        .data
      return { ready: false, replay: `${current} of ${max}` }
    }
    const [{ activeTargets }, { groups }] = await Promise.all([
      askJson(reach, prometheus, { path: '/api/v1/targets?state=active', form: TARGETS }).then(({ data }) => data),
      askJson(reach, prometheus, { path: '/api/v1/rules', form: RULES }).then(({ data }) => data),
    ])
    const firing = groups.flatMap(({ rules }) => rules.flatMap(({ alerts }) => alerts ?? []))
    return {
      ready: true,
      targets: { up: activeTargets.filter(({ health }) => health === 'up').length, of: activeTargets.length },
      alerts: firing.filter(({ state }) => state === 'firing').length,
    }
  }

/** Whom an Alertmanager gossips with, and the alerts it holds that have not ended. `self` is its own gossip address. */
export const alertmanagerStatus =
  (alertmanager: Endpoint, { self, expected }: { readonly self: string; readonly expected: readonly string[] }): Look =>
  async (reach: Reach): Promise<ProgramStatus> => {
    const [{ cluster }, alerts] = await Promise.all([
      askJson(reach, alertmanager, { path: '/api/v2/status', form: STATUS }),
      askJson(reach, alertmanager, { path: '/api/v2/alerts', form: z.array(z.unknown()) }),
    ])
    const seen = (cluster.peers ?? []).map(({ address }) => address)
    return {
      ready: cluster.status === 'ready' || cluster.status === 'disabled',
      ...(expected.length > 0 && { members: { self, seen, expected } }),
      alerts: alerts.length,
    }
  }

// The parts of both HTTP APIs that are read here; the same from Prometheus 2.42 to 3.5 and from Alertmanager 0.25 to 0.33.
const REPLAY = z.object({ data: z.object({ current: z.number(), max: z.number() }) })
const TARGETS = z.object({ data: z.object({ activeTargets: listOf(z.object({ health: z.string() })) }) })
const RULES = z.object({
  data: z.object({
    groups: listOf(
      z.object({ rules: listOf(z.object({ alerts: listOf(z.object({ state: z.string() })).nullish() })) }),
    ),
  }),
})
const STATUS = z.object({
  cluster: z.object({ status: z.string(), peers: listOf(z.object({ address: z.string() })).nullish() }),
})
