import {
  alertmanagersDiscovered,
  configInForce,
  everyTargetScraped,
  prometheusReady,
  ruleGroupsEvaluated,
} from '../../lib/gates/prometheus.ts'
import { prometheusStatus } from '../../lib/gates/status.ts'
import { RELEASES } from '../../lib/host-paths.ts'
import { byteCount } from '../../lib/inventory/schema/fields.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { file } from '../../lib/kinds/file.ts'
import { systemUser } from '../../lib/kinds/user.ts'
import type { Role, Scope } from '../../lib/model.ts'
import { ofInstance, titleOn } from '../../lib/one-machine.ts'
import { scopeOf } from '../../lib/playbook.ts'
import { webTasks } from '../../lib/program/certificates.ts'
import { programTasks, staged } from '../../lib/program/release.ts'
import { handOver, until } from '../../lib/program/replaces.ts'
import { sandbox } from '../../lib/program/sandbox.ts'
import { programService } from '../../lib/program/service.ts'
import { endpointOf, hasTls, joined, portOf, scrapeOf } from '../../lib/program/web.ts'
import { role } from '../../lib/role.ts'
import { rulesFolder } from '../rules/files.ts'
import { PROGRAM, promtool, USER } from '../rules/release.ts'
import { rules } from '../rules/role.ts'
import { ruleFileNames, ruleFiles } from '../rules/tasks.ts'
import { configFile, configOf, homeOf, targetsFile, targetsFolder, targetsPath } from './config.ts'
import { data } from './data.ts'
import { FLAG_DEFAULTS, flagsOf } from './flags.ts'
import { issues } from './known-issues.ts'
import { drained, minimum } from './leave.ts'
import { mistakes } from './mistakes.ts'
import { ownershipFor } from './ownership.ts'
import { twinsScrape } from './replicas.ts'
import { withShard } from './shard-status.ts'
import { shardOf } from './shards.ts'
import { ownTargets } from './spread.ts'
import { targetFilePath, targetFiles, targetFilesOn } from './target-files.ts'
import { alertmanagersOf, jobsOf, ringCanaryOf, ringOf } from './targets.ts'
import { unitOf } from './unit.ts'
import { untypedTargets } from './untyped-targets.ts'
import { INSTANCES, type PrometheusVars, prometheusVars, WEB } from './vars.ts'

/** One Prometheus replica. */
export const prometheus: Role<PrometheusVars> = role({
  name: 'prometheus',
  title: 'Prometheus',
  summary: 'One Prometheus replica: its binaries, configuration, targets from the inventory, and service.',
  group: 'prometheus',
  vars: prometheusVars,
  web: WEB,
  instances: INSTANCES,
  service: 'prometheus',
  release: PROGRAM,

  tasks(scope) {
    const { host, vars, inventory } = scope
    const jobs = jobsOf(scope)
    const targets = jobs.map((job) =>
      file(targetsPath(job, host), targetsFile(job, inventory), { mode: '0640', group: USER }),
    )
    const ruleTasks = ruleFiles(scopeOf(rules, host, inventory), promtool(vars.version))
    const alertmanagers = alertmanagersOf(scope)
    const config = file(
      configOf(host),
      configFile(scope, {
        jobs,
        alertmanagers,
        ring: ringOf(scope),
        ringCanary: ringCanaryOf(scope),
        rules: rulesFolder(host),
        ownership: ownershipFor(scope, alertmanagers),
      }),
      {
        mode: '0640',
        group: USER,
        validate: `${promtool(vars.version)} check config "$1"`,
      },
    )
    return [
      systemUser(USER),
      directory(homeOf(host)),
      directory(targetsFolder(host)),
      ...ownTargetFiles(scope),
      staged(PROGRAM, vars.version, host),
      // Before the configuration, whose check looks for the files that it names.
      ...webTasks(scope, WEB, `${promtool(vars.version)} check web-config "$1"`),
      ...ruleTasks,
      ...targets,
      config,
      // Not before: what others run on it needs it until then.
      ...handOver(vars.replaces, { service: ofInstance(host, 'prometheus'), account: USER, folder: vars.storage_dir }),
      directory(vars.storage_dir, { mode: '0750', owner: USER }),
      ...programService('prometheus', {
        release: PROGRAM,
        version: vars.version,
        instance: host.machine.instance,
        flags: flagsOf(vars, host),
        defaults: FLAG_DEFAULTS,
        unit: unitOf({
          title: titleOn(host, 'Prometheus'),
          user: USER,
          stops: 'Room to send the alerts that still wait, and to close the storage.',
          memory: vars.memory_max,
          tls: hasTls(vars),
          sandbox: sandbox({ writes: [vars.storage_dir] }),
        }),
        loads: [...ruleTasks, config],
      }),
    ]
  },

  mistakes,

  healthy(scope) {
    const { host, vars, inventory } = scope
    const self = endpointOf(host, vars)
    const mine = ownTargets(scope)
    const expected = jobsOf(scope).flatMap((job) =>
      job.targets.filter((target) => mine(job, target)).map(({ address }) => ({ job: job.name, address })),
    )
    const files = ruleFileNames(scopeOf(rules, host, inventory))
    const alertmanagers = [...alertmanagersOf(scope), ...ringOf(scope)].map((one) =>
      joined(one.host.address, portOf(one.web.listen)),
    )
    return [
      prometheusReady(self),
      configInForce(self),
      alertmanagersDiscovered(self, alertmanagers),
      everyTargetScraped(self, { expected, within: '3m' }),
      ruleGroupsEvaluated(self, { files, within: '3m' }),
    ]
  },

  serves({ host, vars }) {
    const self = endpointOf(host, vars)
    return [
      prometheusReady(self),
      configInForce(self),
      everyTargetScraped(self, { expected: [], within: '3m' }),
      ruleGroupsEvaluated(self, { files: [], within: '3m' }),
    ]
  },

  instance: ({ host, vars, inventory }) => ({
    ...programTasks('prometheus', host),
    part: `shard ${shardOf(host, inventory)}${vars.replica === undefined ? '' : `, replica ${vars.replica}`}`,
    status: withShard(prometheusStatus(endpointOf(host, vars)), { host, inventory }),
  }),
  rollout: {
    titles: {
      all: 'Prometheus, never two replicas of a shard',
      first: 'The first Prometheus',
      joins: 'The new Prometheus starts',
      learns: 'Every Prometheus learns of it',
      forgets: 'Every Prometheus forgets it',
    },
    batch: '25%',
    apart: shardOf,
    before: twinsScrape,
  },
  minimum,
  drained,
  data,
  upgrade: { config: configOf, rules: rulesFolder, observe: untypedTargets, issues },
  scrape: ({ vars }) => scrapeOf('prometheus', vars),
  alerts: { name: 'prometheus', file: new URL('../rules/files/prometheus.yml', import.meta.url) },
  reaches: (scope) =>
    alertmanagersOf(scope)
      .filter(({ host }) => host !== scope.host)
      .map(({ host: to, web }) => ({ name: 'web', to, address: to.address, port: portOf(web.listen) })),

  needs: ({ host, vars }) => ({
    ports: [
      {
        port: portOf(vars.listen),
        protocol: 'tcp',
        unit: `${ofInstance(host, 'prometheus')}.service`,
        ...until(vars.replaces),
      },
    ],
    folders: [vars.storage_dir, RELEASES],
    roomBytes: vars.retention.size ? byteCount(vars.retention.size) : undefined,
    memoryBytes: vars.memory_max ? byteCount(vars.memory_max) : undefined,
  }),
})

/** Without the setting the folder is the operator's own. Prometheus notices changes of these files by itself. */
const ownTargetFiles = (scope: Scope<PrometheusVars>) => {
  const { host } = scope
  const files = targetFiles(scope)
  if (files.length === 0) return []
  return [
    directory(targetFilesOn(host), { only: files.map(({ name }) => name) }),
    ...files.map((one) => file(targetFilePath(one, host), one.text, { mode: '0640', group: USER })),
  ]
}
