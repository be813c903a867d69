import { isAbsolute, posix } from 'node:path'
import compare from 'semver/functions/compare.js'
import { InputError } from '../../lib/errors.ts'
import type { Scope, SettingMistake } from '../../lib/model.ts'
import { isSameMachine } from '../../lib/one-machine.ts'
import { webMistakes } from '../../lib/program/web-mistakes.ts'
import { patternOf } from '../../lib/routing/regex/pattern.ts'
import { RegexError } from '../../lib/routing/regex/regex-error.ts'
import { isLeavingJob } from '../../lib/sharding/leaving.ts'
import { homeOf, targetsPath } from './config.ts'
import type { Job } from './job.ts'
import { noHostIn } from './no-host.ts'
import { shardOf } from './shards.ts'
import { targetFilePath, targetFiles, targetFilesOn } from './target-files.ts'
import { alertmanagersOf, jobsOf } from './targets.ts'
import type { PrometheusVars } from './vars.ts'

type About = Scope<PrometheusVars>

/** What of a Prometheus' settings doesn't agree with the rest of the inventory. Throws InputError where a folder of targets can't be read. */
export const mistakes = (scope: About): readonly SettingMistake[] => [
  ...webMistakes(scope, scope.group('prometheus')),
  ...replicasOnOneMachine(scope),
  ...unknownGroups(scope),
  ...jobsTwice(scope),
  ...jobsOfMoves(scope),
  ...filesNotBrought(scope),
  ...brokenRegexes(scope.vars),
  ...tooOldForHeartbeats(scope),
]

/** Alertmanagers of others have no settings here that would say how they are sent to. */
const notDeployed = ({ vars, group }: About): readonly SettingMistake[] => {
  const others = group(vars.alertmanager_group).filter(({ groups }) => !groups.includes('alertmanager'))
  return others.length === 0
    ? []
    : [
        {
          path: ['alertmanager_group'],
          what: `${others.map(({ name }) => name).join(', ')} of group ${vars.alertmanager_group} are in no group alertmanager, so how they are sent to is not known`,
          fix: `Where Vestal is to deploy them, make ${vars.alertmanager_group} a child of group alertmanager; to send to others, write alerting: { alertmanagers: [{ static_configs: [{ targets: [NAME:9093] }] }] } in its place`,
        },
      ]
}

/** Replicas of a shard are there for the loss of a machine. Told of the later one, in the order of the inventory. */
const replicasOnOneMachine = ({ host, inventory, group }: About): readonly SettingMistake[] => {
  const hosts = group('prometheus')
  const earlier = hosts.slice(0, hosts.indexOf(host)).filter((one) => isSameMachine(one, host))
  const other = earlier.find((one) => shardOf(one, inventory) === shardOf(host, inventory))
  if (!other) return []
  const shard = shardOf(host, inventory)
  return [
    {
      path: ['shard'],
      what: `${host.name} and ${other.name} are replicas of shard ${shard} on one machine: lost with it, both would be lost`,
      fix: 'give replicas machines of their own, or make one of them another shard: prometheus: { shard: NUMBER }, or a group shard_NUMBER',
    },
  ]
}

/** A group that a setting names and that has no host: nothing would be scraped, no alert would leave. */
const unknownGroups = (scope: About): readonly SettingMistake[] => {
  const { host, vars } = scope
  const missing = (path: SettingMistake['path'], name: string, so: string): readonly SettingMistake[] =>
    name === 'all' ? [] : noHostIn(scope, { path, name, so })
  // The group's usual name is no claim that there is one.
  const written = (host.vars.prometheus as { readonly alertmanager_group?: unknown } | undefined)?.alertmanager_group
  return [
    ...(written === undefined
      ? []
      : [...missing(['alertmanager_group'], vars.alertmanager_group, 'no alert would be sent'), ...notDeployed(scope)]),
    ...Object.entries(vars.targets).flatMap(([job, target]) =>
      target ? missing(['targets', job, 'group'], target.group, 'nothing would be scraped') : [],
    ),
  ]
}

/** Prometheus refuses a configuration with two jobs of one name (`config/config.go`, Load). */
const jobsTwice = (scope: About): readonly SettingMistake[] => {
  const seen = new Map(ownJobs(scope).map(({ name }) => [name, 'built in']))
  return scope.vars.scrape_configs.flatMap(({ job_name: name }, at) => {
    const before = seen.get(name)
    seen.set(name, `scrape_configs[${at}]`)
    if (before === undefined) return []
    const path = ['scrape_configs', at, 'job_name']
    if (before !== 'built in')
      return [{ path, what: `a job \`${name}\` is there already: ${before}`, fix: 'rename one' }]
    return [
      {
        path,
        what: `a job \`${name}\` is there already: it comes by itself, or from \`targets\``,
        fix: `rename this one, or leave the other out with targets: { ${name}: null }`,
      },
    ]
  })
}

/** A job that is called as those by which a shard scrapes what moves away from it would be taken for one. */
const jobsOfMoves = ({ vars }: About): readonly SettingMistake[] =>
  vars.scrape_configs.flatMap(({ job_name: name }, at) => {
    if (!isLeavingJob(name)) return []
    const path = ['scrape_configs', at, 'job_name']
    return [{ path, what: `\`${name}\` is the name of a job whose targets move to another shard`, fix: 'rename it' }]
  })

/** None where they can't be told, of which others say more. */
const ownJobs = (scope: About): readonly Job[] => {
  try {
    return jobsOf(scope)
  } catch (error) {
    if (error instanceof InputError) return []
    throw error
  }
}

/** Files of targets below /etc/prometheus that nothing brings there: Prometheus takes that for a job without targets. */
const filesNotBrought = (scope: About): readonly SettingMistake[] => {
  const { vars, host } = scope
  // Relative paths in the configuration start there, and what is below it is Vestal's.
  const home = homeOf(host)
  const brought = [
    ...ownJobs(scope).map((job) => targetsPath(job, host)),
    ...targetFiles(scope).map((one) => targetFilePath(one, host)),
  ]
  return vars.scrape_configs.flatMap((config, at) =>
    listOf(config.file_sd_configs).flatMap((sd, which) =>
      listOf(sd.files).flatMap((file: unknown, index) => {
        if (typeof file !== 'string') return []
        const full = posix.normalize(isAbsolute(file) ? file : `${home}/${file}`)
        if (!full.startsWith(`${home}/`) || brought.some((one) => globOf(full).test(one))) return []
        return [
          {
            path: ['scrape_configs', at, 'file_sd_configs', which, 'files', index],
            what: `nothing brings ${full} to the machine, so the job would have no targets`,
            fix: `name a folder of target files in target_folders, which are brought to ${targetFilesOn(host)}, or a path outside ${home}`,
          },
        ]
      }),
    ),
  )
}

// biome-ignore lint/suspicious/noExplicitAny: settings that are passed on as they are
const listOf = (value: unknown): readonly any[] => (Array.isArray(value) ? value : [])

/** As Go's filepath.Match reads a pattern. */
const globOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[\\^$.+()|{}]/g, '\\$&')
      .replaceAll('*', '[^/]*')
      .replaceAll('?', '[^/]')}$`,
  )

/** Regular expressions of relabelling that Prometheus would refuse. */
const brokenRegexes = (vars: PrometheusVars): readonly SettingMistake[] => {
  const stepsAt = (steps: unknown, path: SettingMistake['path']): readonly SettingMistake[] =>
    listOf(steps).flatMap((step, at) => {
      try {
        if (typeof step?.regex === 'string') patternOf(step.regex)
        return []
      } catch (error) {
        if (!(error instanceof RegexError)) throw error
        return [{ path: [...path, at, 'regex'], what: error.message }]
      }
    })
  const within = (config: Readonly<Record<string, unknown>>, path: SettingMistake['path']) =>
    ['relabel_configs', 'metric_relabel_configs', 'write_relabel_configs'].flatMap((key) =>
      stepsAt(config[key], [...path, key]),
    )
  return [
    ...stepsAt(vars.alert_relabel_configs, ['alert_relabel_configs']),
    ...vars.scrape_configs.flatMap((config, at) => within(config, ['scrape_configs', at])),
    ...vars.remote_write.flatMap((config, at) => within(config, ['remote_write', at])),
    ...Object.entries(vars.targets).flatMap(([job, target]) =>
      within(target?.config ?? {}, ['targets', job, 'config']),
    ),
  ]
}

/** The first version that relabels alerts for each Alertmanager (its CHANGELOG, 2.51: `alert_relabel_configs` of an Alertmanager config). */
const RELABELS_EACH = '2.51.0'

const tooOldForHeartbeats = (scope: About): readonly SettingMistake[] =>
  compare(scope.vars.version, RELABELS_EACH) < 0 && alertmanagersOf(scope).some(({ web }) => web.heartbeats)
    ? [
        {
          path: ['version'],
          what: `Prometheus ${scope.vars.version} cannot send each Alertmanager a heartbeat of its own (alertmanager.heartbeats)`,
          fix: `choose version ${RELABELS_EACH} or later, or leave the heartbeats out`,
        },
      ]
    : []
