import compare from 'semver/functions/compare.js'
import type { Scope, SettingMistake } from '../../lib/model.ts'
import { webMistakes } from '../../lib/program/web-mistakes.ts'
import { noHostIn } from '../prometheus/no-host.ts'
import type { AgentVars } from './vars.ts'

/** Before it, agent mode is a feature flag with another command line (prometheus `docs/migration.md`, "Flags"). */
const OLDEST = '3.0.0'

/** What of an agent's settings doesn't agree with the rest of the inventory. */
export const mistakes = (scope: Scope<AgentVars>): readonly SettingMistake[] => [
  ...webMistakes(scope, scope.group('prometheus_agent')),
  ...tooOld(scope.vars),
  ...besideReplica(scope),
  ...groupsWithoutHost(scope),
  ...jobsTwice(scope.vars),
  ...trackedNameless(scope.vars),
]

const tooOld = ({ version }: AgentVars): readonly SettingMistake[] =>
  compare(version, OLDEST) >= 0
    ? []
    : [
        {
          path: ['version'],
          what: `in Prometheus ${version} agent mode is a feature on trial`,
          fix: `choose ${OLDEST} or later`,
        },
      ]

/** There is one link to the current version, which a roll of one of both would switch for the other. */
const besideReplica = ({ host }: Scope<AgentVars>): readonly SettingMistake[] =>
  host.groups.includes('prometheus')
    ? [
        {
          path: [],
          what: 'the host is in group `prometheus` as well',
          fix: 'set `prometheus.remote_write` there, which needs no agent, or take the host out of one of both groups',
        },
      ]
    : []

const groupsWithoutHost = (scope: Scope<AgentVars>): readonly SettingMistake[] =>
  Object.entries(scope.vars.targets).flatMap(([job, { group: name }]) =>
    noHostIn(scope, { path: ['targets', job, 'group'], name, so: 'nothing would be scraped' }),
  )

/** Prometheus refuses a configuration with two jobs of one name (`config/config.go`, Load). */
const jobsTwice = ({ targets, scrape_configs }: AgentVars): readonly SettingMistake[] =>
  scrape_configs.flatMap(({ job_name: name }, at) =>
    Object.hasOwn(targets, name) || scrape_configs.findIndex((one) => one.job_name === name) < at
      ? [{ path: ['scrape_configs', at, 'job_name'], what: `a job \`${name}\` is there already`, fix: 'rename one' }]
      : [],
  )

/** A tracker tells by `cluster` whose replicas are whose. */
const trackedNameless = ({
  remote_write,
  cluster,
  cluster_label,
  external_labels,
}: AgentVars): readonly SettingMistake[] =>
  cluster !== undefined || external_labels[cluster_label]
    ? []
    : remote_write.flatMap(({ ha_tracker }, at) =>
        ha_tracker
          ? [
              {
                path: ['remote_write', at, 'ha_tracker'],
                what: 'needs a value of cluster: the tracker tells by it whose replicas are whose',
                fix: 'set prometheus_agent.cluster',
              },
            ]
          : [],
      )
