/** What `status` asks a Prometheus or Alertmanager beside its gates. The same pages as theirs, so that a look which remembers answers asks none twice. */

import { alertsOf, statusOf } from '../api/alertmanager.ts'
import { ask, type Endpoint, refused } from '../api/endpoint.ts'
import { replayOf, ruleGroupsOf, targetsOf } from '../api/prometheus.ts'
import type { Instance, ProgramStatus, Reach } from '../model.ts'

type Look = Required<Pick<Instance, 'status'>>['status']

/** Targets that are up, alerts that fire, and how far the WAL's replay is. */
export const prometheusStatus =
  (prometheus: Endpoint): Look =>
  async (reach): Promise<ProgramStatus> => {
    const starting = await replaying(reach, prometheus)
    if (starting) return starting
    const [targets, groups] = await Promise.all([targetsUp(reach, prometheus), ruleGroupsOf(reach, prometheus)])
    const firing = groups.flatMap(({ rules }) => rules.flatMap(({ alerts }) => alerts ?? []))
    return { ready: true, targets, alerts: firing.filter(({ state }) => state === 'firing').length }
  }

/** The same of one that evaluates no rules. */
export const agentStatus =
  (agent: Endpoint): Look =>
  async (reach): Promise<ProgramStatus> =>
    (await replaying(reach, agent)) ?? { ready: true, targets: await targetsUp(reach, agent) }

/** How far the replay is; null once it is over. */
const replaying = async (reach: Reach, prometheus: Endpoint): Promise<ProgramStatus | null> => {
  const ready = await ask(reach, prometheus, '/-/ready')
  if (ready.status === 200) return null
  if (ready.status !== 503) throw refused(prometheus, '/-/ready', ready)
  const { current, max } = await replayOf(reach, prometheus)
  return { ready: false, replay: `${current} of ${max}` }
}

const targetsUp = async (reach: Reach, prometheus: Endpoint): Promise<{ readonly up: number; readonly of: number }> => {
  const targets = await targetsOf(reach, prometheus)
  return { up: targets.filter(({ health }) => health === 'up').length, of: targets.length }
}

/** Whom an Alertmanager gossips with, and the alerts it holds that have not ended. `self` is its own gossip address. */
export const alertmanagerStatus =
  (alertmanager: Endpoint, { self, expected }: { readonly self: string; readonly expected: readonly string[] }): Look =>
  async (reach: Reach): Promise<ProgramStatus> => {
    const [{ cluster }, alerts] = await Promise.all([statusOf(reach, alertmanager), alertsOf(reach, alertmanager)])
    const seen = cluster.peers.map(({ address }) => address)
    return {
      ready: cluster.status === 'ready' || cluster.status === 'disabled',
      ...(expected.length > 0 && { members: { self, seen, expected } }),
      alerts: alerts.items.length,
    }
  }
