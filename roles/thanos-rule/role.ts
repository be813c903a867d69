import { InputError } from '../../lib/errors.ts'
import { metricIsZero } from '../../lib/gates/metric.ts'
import { RELEASES } from '../../lib/host-paths.ts'
import { byteCount } from '../../lib/inventory/schema/fields.ts'
import { command } from '../../lib/kinds/command.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { file } from '../../lib/kinds/file.ts'
import { releaseBinary } from '../../lib/kinds/release.ts'
import { systemUser } from '../../lib/kinds/user.ts'
import type { Gate, Host, Inventory, PlayScope, Role, Scope, Task, TooFew } from '../../lib/model.ts'
import { trustFile, trustTasks, webTasks } from '../../lib/program/certificates.ts'
import { trustsFleet, webConfigFile } from '../../lib/program/certified.ts'
import type { Flags } from '../../lib/program/flags.ts'
import { programTasks, staged, switched } from '../../lib/program/release.ts'
import { runningService } from '../../lib/program/service.ts'
import { endpointOf, hasTls, portOf, scrapeOf } from '../../lib/program/web.ts'
import { yamlFile } from '../../lib/program/yaml-file.ts'
import { role } from '../../lib/role.ts'
import { data as tsdb } from '../prometheus/data.ts'
import { type RuleFile, ruleFolder } from '../rules/files.ts'
import { globalRules } from '../rules/placement.ts'
import { queryAnswers, thanosReady } from '../thanos/gates.ts'
import {
  clientCertificate,
  clientMistakes,
  endpointMistakes,
  grpcServerFlags,
  grpcWay,
  portsOf,
} from '../thanos/grpc.ts'
import { queryIssues } from '../thanos/known-issues.ts'
import { PROGRAM, USER, versionOn } from '../thanos/release.ts'
import { unitOf } from '../thanos/unit.ts'
import { askedWithTls } from '../thanos-query/endpoints.ts'
import { sidecarsIn } from '../thanos-sidecar/members.ts'
import { alertmanagersFile, alertmanagersOf, labelsOf, queryUrl, relabelFile } from './alerting.ts'
import { checks } from './checks.ts'
import { everyGroupEvaluated, rulerStatus } from './gates.ts'
import { GROUP, rulersIn } from './members.ts'
import { FOLDER, type InnerQuery, innerFlags, treeOf } from './tree.ts'
import { type RuleVars, ruleOn, ruleVars, WEB } from './vars.ts'

const SERVICE = 'thanos-rule'
const RULES = `${FOLDER}/rules`
const ALERTMANAGERS = `${FOLDER}/alertmanagers.yml`
const RELABEL = `${FOLDER}/relabel.yml`

/** One of several that evaluate rules over the data of all shards. */
export const thanosRule: Role<RuleVars> = role<RuleVars>({
  name: 'thanos-rule',
  title: 'Thanos Rule',
  summary: 'Evaluates rules that need the data of all shards; an evaluation fails rather than miss one.',
  group: GROUP,
  vars: ruleVars,
  web: WEB,
  service: SERVICE,
  release: PROGRAM,
  mistakes: ({ host, vars, inventory }) => {
    const asked = askedWithTls(inventory)
    return [...clientMistakes(host, asked), ...endpointMistakes(vars.version, asked)]
  },

  tasks(scope) {
    const { host, vars, inventory } = scope
    const version = versionOn(host, vars.version)
    const files = rulesOf(scope)
    const thanos = releaseBinary(PROGRAM.name, version, 'thanos')
    const folder = directory(RULES, { only: files.map(({ name }) => name) })
    const rules = files.map(({ name, text }) =>
      file(`${RULES}/${name}`, text, { validate: `${thanos} tools rules-check --rules="$1"` }),
    )
    const alertmanagers = alertmanagersOf(scope)
    const own = { mode: '0640', group: USER } as const
    const alerting = [
      file(ALERTMANAGERS, yamlFile(alertmanagersFile(alertmanagers)), own),
      file(RELABEL, yamlFile(relabelFile(inventory, alertmanagers)), own),
    ]
    const { root, shards } = treeOf(inventory, vars)
    return [
      systemUser(USER),
      directory(FOLDER),
      ...trustTasks(inventory),
      ...(askedWithTls(inventory).length > 0 ? [clientCertificate(host, WEB)] : []),
      directory(vars.storage_dir, { mode: '0750', owner: USER }),
      staged(PROGRAM, version, host),
      folder,
      ...rules,
      ...alerting,
      ...webTasks({ host, vars, inventory }, WEB),
      ...switched(PROGRAM, version),
      ...[...shards, root].flatMap((query) => innerTasks(query, { vars, inventory, version })),
      noOtherShards(shards),
      ...runningService(SERVICE, {
        release: PROGRAM,
        version,
        subcommand: 'rule',
        flags: flagsOf(scope, root),
        unit: unitOf({
          title: 'Thanos Rule',
          page: 'rule',
          memory: vars.memory_max,
          tls: hasTls(vars),
          writes: [vars.storage_dir],
          reloads: true,
          wants: [...shards, root].map(({ service }) => `${service}.service`),
        }),
        restartsOn: [
          ...alerting,
          ...(grpcWay(vars) === 'tls' || alertmanagers.some(({ web }) => trustsFleet(web)) ? trustFile(inventory) : []),
        ],
        loads: [folder, ...rules],
      }),
    ]
  },

  healthy(scope) {
    const { host, vars, inventory } = scope
    const self = endpointOf(host, vars)
    return [
      thanosReady('Thanos Rule is ready', self),
      queryAnswers(rootOf(host, inventory)),
      everyGroupEvaluated(
        self,
        rulesOf(scope).flatMap(({ name, groups }) => (groups > 0 ? [`${RULES}/${name}`] : [])),
      ),
    ]
  },
  serves: ({ host, vars, inventory }) => [
    thanosReady('Thanos Rule is ready', endpointOf(host, vars)),
    queryAnswers(rootOf(host, inventory)),
  ],

  instance: ({ host, vars }) => ({
    ...programTasks('thanos', host),
    service: `service ${SERVICE}`,
    status: (reach) => rulerStatus(reach, endpointOf(host, vars)),
  }),

  rollout: {
    titles: {
      all: 'Thanos Rules, one at a time',
      first: 'The first Thanos Rule',
      joins: 'The new Thanos Rule starts',
      learns: 'Thanos Rules learn of it, one at a time',
      forgets: 'Thanos Rules forget it, one at a time',
    },
    batch: 1,
    before: othersEvaluate,
  },
  minimum,
  drained: ({ host, vars, inventory }) => [
    ...othersEvaluate({ inventory, batch: [host], hosts: [host] }),
    metricIsZero('Thanos Rule has sent every alert', endpointOf(host, vars), {
      metric: 'thanos_alert_queue_length',
      of: 'alerts wait to be sent',
    }),
  ],
  data: { folder: ({ storage_dir }) => storage_dir, freeze: tsdb.freeze, archived: tsdb.archived },
  upgrade: { rules: () => RULES, issues: queryIssues },
  scrape: ({ vars }) => scrapeOf(SERVICE, vars),
  reaches: (scope) => [
    ...alertmanagersOf(scope)
      .filter(({ host }) => host !== scope.host)
      .map(({ host: to, web }) => ({
        ...{ name: 'web', to, address: to.address, port: portOf(web.listen) },
        why: 'An Alertmanager that it does not reach never hears of its alerts.',
      })),
    ...sidecarsIn(scope.inventory)
      .filter(({ host }) => host !== scope.host)
      .map(({ host: to, address }) => ({
        ...{ name: 'grpc', to, address: to.address, port: portOf(address) },
        why: 'Where no replica of a shard is reached, no rule is evaluated.',
      })),
  ],
  checks,

  needs: ({ vars, inventory }) => {
    const { root, shards } = treeOf(inventory, vars)
    const of = (service: string, ports: readonly number[]) =>
      ports.map((port) => ({ port, protocol: 'tcp' as const, unit: `${service}.service` }))
    return {
      ports: [
        ...portsOf(`${SERVICE}.service`, vars),
        ...[root, ...shards].flatMap(({ service, httpPort, grpcPort }) => of(service, [httpPort, grpcPort])),
      ],
      folders: [vars.storage_dir, RELEASES],
      memoryBytes: vars.memory_max ? byteCount(vars.memory_max) * (2 + shards.length) : undefined,
    }
  },
})

/** What no shard can evaluate alone of the rules of Prometheus, and its own. Throws InputError where two would have one name. */
const rulesOf = ({ vars, inventory }: Pick<Scope<RuleVars>, 'vars' | 'inventory'>): readonly RuleFile[] => {
  const files = [
    ...globalRules(inventory),
    ...vars.rules.flatMap((folder) => ruleFolder(inventory, folder, 'thanos_rule.rules')),
  ]
  const twice = [...Map.groupBy(files, ({ name }) => name)].filter(([, same]) => same.length > 1)
  if (twice.length === 0) return files
  throw new InputError(
    twice.map(([name, same]) => ({
      where: same[1]?.path ?? name,
      path: 'thanos_rule.rules',
      what: `would be ${RULES}/${name} on the host, and so would ${same[0]?.path}`,
      fix: 'Rename one of them.',
    })),
  )
}

/** A query of its own starts with the ruler and ends with it. */
const innerTasks = (
  query: InnerQuery,
  { vars, inventory, version }: { readonly vars: RuleVars; readonly inventory: Inventory; readonly version: string },
): readonly Task[] => [
  file(query.endpoints, yamlFile(query.asks), { mode: '0640', group: USER }),
  ...runningService(query.service, {
    release: PROGRAM,
    version,
    subcommand: 'query',
    flags: innerFlags(inventory, query, vars),
    unit: unitOf({ title: query.title, page: 'query', memory: vars.memory_max, partOf: `${SERVICE}.service` }),
    enabled: false,
    restartsOn: query.asks.endpoints.some((one) => 'client_config' in one) ? trustFile(inventory) : [],
    reloads: false,
  }),
]

/** A shard that is no longer there leaves a query of nobody behind. */
const noOtherShards = (shards: readonly InnerQuery[]): Task => {
  const known = shards.map(({ service }) => `${service}.service`).join('|')
  const each = (work: string) => `for path in /etc/systemd/system/thanos-rule-shard-*.service; do
  [ -e "$path" ] || continue
  case \${path##*/} in ${known || "''"}) continue ;; esac
  ${work}
done`
  return command(
    'queries of shards that are gone',
    `${each('systemctl stop -- "${path##*/}"; rm -f -- "$path"')}\nsystemctl daemon-reload`,
    { unless: each('exit 1') },
  )
}

const flagsOf = (scope: Scope<RuleVars>, root: InnerQuery): Flags => {
  const { vars, inventory } = scope
  const { added, dropped } = labelsOf(scope)
  return {
    'http-address': vars.listen,
    'grpc-address': vars.grpc_listen,
    ...grpcServerFlags(vars, WEB),
    'http.config': vars.web_config && webConfigFile(WEB),
    'http-grace-period': '5s',
    'grpc-grace-period': '5s',
    'data-dir': vars.storage_dir,
    'tsdb.retention': vars.retention,
    'rule-file': `${RULES}/*.yml`,
    'eval-interval': vars.evaluation_interval,
    'resend-delay': vars.resend_delay,
    label: Object.entries(added).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
    'alert.label-drop': dropped,
    'alert.relabel-config-file': RELABEL,
    'alertmanagers.config-file': ALERTMANAGERS,
    'alert.query-url': queryUrl(inventory, vars),
    query: `127.0.0.1:${root.httpPort}`,
    'log.level': vars.log_level,
    ...vars.extra_flags,
  }
}

/** The query that a ruler asks, on its own host. */
const rootOf = (host: Host, inventory: Inventory) => ({
  host,
  address: '127.0.0.1',
  port: treeOf(inventory, ruleOn(host)).root.httpPort,
})

/** Before one is interrupted: the others evaluate. */
function othersEvaluate({ inventory, batch }: PlayScope): readonly Gate[] {
  return rulersIn(inventory)
    .filter((host) => !batch.includes(host))
    .map((host) => everyGroupEvaluated(endpointOf(host, ruleOn(host)), []))
}

function minimum(_: Host, left: readonly Host[]): TooFew | null {
  return left.length > 0
    ? null
    : { what: 'is the last Thanos Rule: nobody would evaluate its rules', fix: 'add another first' }
}
