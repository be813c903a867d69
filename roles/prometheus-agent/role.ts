import { configInForce, everyTargetScraped, prometheusReady, samplesSent } from '../../lib/gates/prometheus.ts'
import { agentStatus } from '../../lib/gates/status.ts'
import { RELEASES } from '../../lib/host-paths.ts'
import { byteCount } from '../../lib/inventory/schema/fields.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { file } from '../../lib/kinds/file.ts'
import { systemUser } from '../../lib/kinds/user.ts'
import type { Gate, PlayScope, Role, Scope } from '../../lib/model.ts'
import { webTasks } from '../../lib/program/certificates.ts'
import { webConfigFile } from '../../lib/program/certified.ts'
import { programTasks, staged } from '../../lib/program/release.ts'
import { sandbox } from '../../lib/program/sandbox.ts'
import { programService } from '../../lib/program/service.ts'
import { endpointOf, hasTls, portOf, scrapeOf } from '../../lib/program/web.ts'
import { role } from '../../lib/role.ts'
import { unitOf } from '../prometheus/unit.ts'
import { PROGRAM, promtool } from '../rules/release.ts'
import { CONFIG, configFile, jobsOf } from './config.ts'
import { mistakes } from './mistakes.ts'
import { type AgentVars, agentOn, agentVars, WEB } from './vars.ts'

const GROUP = 'prometheus_agent'
const SERVICE = 'prometheus-agent'
const USER = 'prometheus-agent'

/** One Prometheus in agent mode. */
export const prometheusAgent: Role<AgentVars> = role<AgentVars>({
  name: SERVICE,
  title: 'Prometheus agent',
  summary: 'Prometheus in agent mode: scrapes, and sends all samples on by remote write.',
  group: GROUP,
  vars: agentVars,
  web: WEB,
  service: SERVICE,
  release: PROGRAM,

  tasks(scope) {
    const { host, vars } = scope
    const config = file(CONFIG, configFile(scope), {
      mode: '0640',
      group: USER,
      validate: `${promtool(vars.version)} check config --agent "$1"`,
    })
    return [
      systemUser(USER),
      directory(WEB.folder),
      directory(vars.storage_dir, { mode: '0750', owner: USER }),
      staged(PROGRAM, vars.version, host),
      ...webTasks(scope, WEB, `${promtool(vars.version)} check web-config "$1"`),
      config,
      ...programService(SERVICE, {
        release: PROGRAM,
        version: vars.version,
        flags: {
          agent: true,
          'config.file': CONFIG,
          'storage.agent.path': vars.storage_dir,
          'web.listen-address': vars.listen,
          'web.external-url': vars.external_url,
          'web.route-prefix': vars.route_prefix,
          'web.config.file': vars.web_config && webConfigFile(WEB),
          'log.level': vars.log_level,
          ...vars.extra_flags,
        },
        unit: unitOf({
          title: 'Prometheus agent',
          user: USER,
          stops: 'Room to send the samples that still wait, and to close the storage.',
          memory: vars.memory_max,
          tls: hasTls(vars),
          sandbox: sandbox({ writes: [vars.storage_dir] }),
        }),
        loads: [config],
      }),
    ]
  },

  mistakes,

  healthy: (scope) =>
    scrapes(
      scope,
      jobsOf(scope).flatMap(({ name, targets }) => targets.map(({ address }) => ({ job: name, address }))),
    ),
  serves: (scope) => scrapes(scope, []),

  instance: ({ host, vars }) => ({
    ...programTasks('prometheus', host),
    service: `service ${SERVICE}`,
    ...(vars.replica !== undefined && { part: `replica ${vars.replica}` }),
    status: agentStatus(endpointOf(host, vars)),
  }),
  rollout: {
    titles: {
      all: 'Prometheus agents, one at a time',
      first: 'The first Prometheus agent',
      joins: 'The new Prometheus agent starts',
      learns: 'Prometheus agents learn of it',
      forgets: 'Prometheus agents forget it',
    },
    batch: 1,
    before: othersScrape,
  },
  scrape: ({ vars }) => scrapeOf(SERVICE, vars),

  needs: ({ vars }) => ({
    ports: [{ port: portOf(vars.listen), protocol: 'tcp', unit: `${SERVICE}.service` }],
    folders: [vars.storage_dir, RELEASES],
    memoryBytes: vars.memory_max ? byteCount(vars.memory_max) : undefined,
  }),
})

/** Whether one scrapes, and what it scrapes gets where it is sent. */
const scrapes = (
  { host, vars }: Pick<Scope<AgentVars>, 'host' | 'vars'>,
  expected: Parameters<typeof everyTargetScraped>[1]['expected'],
): readonly Gate[] => {
  const self = endpointOf(host, vars)
  return [
    prometheusReady(self),
    configInForce(self),
    everyTargetScraped(self, { expected, within: '3m' }),
    samplesSent(self, { within: '3m' }),
  ]
}

/** Before one is interrupted: the others scrape what they know. */
function othersScrape({ inventory, batch }: PlayScope): readonly Gate[] {
  return inventory.hosts
    .filter((host) => host.groups.includes(GROUP) && !batch.includes(host))
    .flatMap((host) => scrapes({ host, vars: agentOn(host) }, []))
}
