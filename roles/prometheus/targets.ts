import compare from 'semver/functions/compare.js'
import { InputError } from '../../lib/errors.ts'
import type { Host, Inventory, Role, Scope } from '../../lib/model.ts'
import { isOn, scopeOf } from '../../lib/playbook.ts'
import { bothWays } from '../../lib/program/certified.ts'
import type { Web } from '../../lib/program/web.ts'
import { inFileOrder } from '../../lib/role.ts'
import { EVERYWHERE_LABEL } from '../../lib/sharding/hash.ts'
import { alertmanager } from '../alertmanager/role.ts'
import type { AlertmanagerVars } from '../alertmanager/vars.ts'
import { GROUP, membersOf } from '../cortex-alertmanager/members.ts'
import { cortexOn, WEB as RING } from '../cortex-alertmanager/vars.ts'
import { canaryJobs } from './canary.ts'
import { type Job, targetOf } from './job.ts'
import { shardingOf } from './shards.ts'
import type { PrometheusVars } from './vars.ts'

/**
 * The jobs over inventory groups: one for every role that has something to scrape. A target's `instance` is the host's name and the port:
 * what Prometheus would make it, with a name that people know in place of the address.
 */
export const jobsOf = (scope: Scope<PrometheusVars>): readonly Job[] => {
  const { vars, group } = scope
  const own = ownJobs(inFileOrder(scope.inventory.roles).flatMap((role) => builtIn(role, scope)))
  const asked = Object.entries(vars.targets).map(([name, target]) => [
    name,
    target && {
      targets: group(target.group).map((host) => targetOf(host, { port: target.port, labels: target.labels })),
      config: target.config,
    },
  ])
  const jobs: Record<string, Omit<Job, 'name'> | null> = { ...own, ...Object.fromEntries(asked) }
  return Object.entries({ ...jobs, ...canaryJobs(scope, jobs) }).flatMap(([name, job]) =>
    job && job.targets.length > 0 ? [{ name, ...job }] : [],
  )
}

/** An Alertmanager that alerts are sent to. */
export interface Receiving {
  readonly host: Host
  readonly web: AlertmanagerVars
}

/** The Alertmanagers it sends to. Throws InputError when one of them isn't in group `alertmanager`, so that its settings are unknown. */
export const alertmanagersOf = ({ vars, group }: Scope<PrometheusVars>): readonly Receiving[] =>
  group(vars.alertmanager_group).flatMap((host) => {
    if (host.groups.includes('alertmanager'))
      return bothWays(host, alertmanager.name).map((way) => ({ host, web: alertmanager.varsOf(way) }))
    throw new InputError([
      {
        where: `host ${host.name}`,
        path: 'prometheus.alertmanager_group',
        what: `is in group ${vars.alertmanager_group} but not in group alertmanager`,
        fix: `Make ${vars.alertmanager_group} a child of group alertmanager.`,
      },
    ])
  })

/** The first version that is documented to send headers to an Alertmanager (its CHANGELOG, 2.55). */
const SENDS_HEADERS = '2.55.0'

/** An instance of a ring that alerts are sent to. */
export interface RingReceiving {
  readonly host: Host
  readonly web: Web
}

/**
 * The instances of the ring that tenants' alerts are sent to; none without tenants. Throws InputError for a version that
 * can't say which tenant an alert is of, and where there is no ring.
 */
export const ringOf = ({ host, vars, group }: Scope<PrometheusVars>): readonly RingReceiving[] => {
  if (vars.tenants.length === 0) return []
  const about = { where: `host ${host.name}`, path: 'prometheus.tenants' }
  const members = membersOf(group)
  if (compare(vars.version, SENDS_HEADERS) < 0)
    throw new InputError([
      {
        ...about,
        what: `Prometheus ${vars.version} sends no headers to Alertmanagers, and so can't say which tenant an alert is of`,
        fix: `Choose version ${SENDS_HEADERS} or later.`,
      },
    ])
  if (members.length === 0)
    throw new InputError([
      { ...about, what: `no host is in the group ${GROUP}`, fix: 'Leave the setting out, or add a ring.' },
    ])
  return members.flatMap((member) =>
    bothWays(member.host, RING.role).map((way) => ({ host: member.host, web: cortexOn(way) })),
  )
}

/** Whether its canary alerts go to the ring: where it sends to one whose canary tenant is there. */
export const ringCanaryOf = ({ vars, group }: Pick<Scope<PrometheusVars>, 'vars' | 'group'>): boolean =>
  vars.tenants.length > 0 && membersOf(group).some((member) => member.vars.canary.enabled)

/** Several roles may be one job: entries of one exporter. */
const ownJobs = (jobs: ReturnType<typeof builtIn>): Record<string, Omit<Job, 'name'>> =>
  Object.fromEntries(
    [...Map.groupBy(jobs, ([name]) => name)].map(([name, same]) => [
      name,
      { targets: same.flatMap(([, { targets }]) => targets), config: same[0]?.[1].config ?? {} },
    ]),
  )

/** Of Alertmanagers those it sends to; of others every host that has the role. */
const builtIn = (role: Role, scope: Scope<PrometheusVars>): readonly (readonly [string, Omit<Job, 'name'>])[] => {
  if (!role.scrape) return []
  const hosts =
    role.key === alertmanager.key
      ? [...new Set(alertmanagersOf(scope).map(({ host }) => host))]
      : scope.inventory.hosts.filter((host) => isOn(role, host))
  const scraped = hosts.flatMap((host) =>
    [role.scrape?.(scopeOf(role, host, scope.inventory)) ?? []].flat().map((one) => ({ host, ...one })),
  )
  return [...Map.groupBy(scraped, ({ job }) => job)].map(([job, some]) => [
    job,
    {
      targets: some.flatMap(({ host, port, labels = {}, through }) =>
        through
          ? through.map(({ target, labels: own }) => ({ address: target, labels: { ...labels, ...own } }))
          : [targetOf(host, { port, labels })],
      ),
      // Those whose certificates are trusted say so for all.
      config: {
        ...(some.find(({ config }) => config?.tls_config) ?? some[0])?.config,
        ...(role.key === alertmanager.key && everywhere(scope.inventory)),
      },
    },
  ])
}

const everywhere = (inventory: Inventory): Job['config'] => (shardingOf(inventory) ? SCRAPED_EVERYWHERE : {})

/** Every shard sends to all Alertmanagers, and watches all of them: so rules over them as a whole hold on each shard. */
export const SCRAPED_EVERYWHERE: Job['config'] = {
  relabel_configs: [{ target_label: EVERYWHERE_LABEL, replacement: 'alertmanager' }],
}
