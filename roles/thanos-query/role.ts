import { RELEASES } from '../../lib/host-paths.ts'
import { byteCount } from '../../lib/inventory/schema/fields.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { file } from '../../lib/kinds/file.ts'
import { packages } from '../../lib/kinds/packages.ts'
import { systemUser } from '../../lib/kinds/user.ts'
import type { Gate, Host, Inventory, PlayScope, Role, TooFew } from '../../lib/model.ts'
import { trustFile, trustTasks, webTasks } from '../../lib/program/certificates.ts'
import { webConfigFile } from '../../lib/program/certified.ts'
import type { Flags } from '../../lib/program/flags.ts'
import { programTasks, staged } from '../../lib/program/release.ts'
import { programService } from '../../lib/program/service.ts'
import { endpointOf, hasTls, joined, scrapeOf } from '../../lib/program/web.ts'
import { yamlFile } from '../../lib/program/yaml-file.ts'
import { role } from '../../lib/role.ts'
import { haproxyService } from '../gateway/haproxy.ts'
import {
  everyStoreSeen,
  queryAnswers,
  type StoreWanted,
  storeProblems,
  storesSeenBy,
  thanosReady,
} from '../thanos/gates.ts'
import { clientCertificate, clientMistakes, grpcServerFlags, grpcServerStarts, portsOf } from '../thanos/grpc.ts'
import { queryIssues } from '../thanos/known-issues.ts'
import { PROGRAM, USER, versionOn } from '../thanos/release.ts'
import { unitOf } from '../thanos/unit.ts'
import { askedIn, askedWithTls, endpointsFile, replicaLabels } from './endpoints.ts'
import { RELAY, RELAY_CONFIG, relayed, relayFile } from './relay.ts'
import { type QueryVars, queryOn, queryVars, WEB } from './vars.ts'

const GROUP = 'thanos_query'
const SERVICE = 'thanos-query'
const FOLDER = '/etc/thanos-query'
const ENDPOINTS = `${FOLDER}/endpoints.yml`

/** One of several that answer questions from the data of all shards and replicas. */
export const thanosQuery: Role<QueryVars> = role<QueryVars>({
  name: 'thanos-query',
  title: 'Thanos Query',
  summary: 'One place to ask: answers from the data of every shard, replicas shown as one series.',
  group: GROUP,
  vars: queryVars,
  web: WEB,
  service: SERVICE,
  release: PROGRAM,
  mistakes: ({ host, inventory }) => clientMistakes(host, askedWithTls(inventory)),

  tasks({ host, vars, inventory }) {
    const version = versionOn(host, vars.version)
    const shown = askedWithTls(inventory).length > 0 ? [clientCertificate(host, WEB, `${RELAY}.service`)] : []
    return [
      packages(['haproxy']),
      systemUser(USER),
      directory(FOLDER),
      staged(PROGRAM, version, host),
      ...trustTasks(inventory),
      ...shown,
      ...haproxyService(RELAY, {
        title: 'Relay of Thanos Query to those that it asks (HAProxy)',
        user: USER,
        config: { path: RELAY_CONFIG, text: relayFile(inventory) },
        // One that is issued makes it read that again by itself; the operator's own is a file like any other.
        reads: [
          ...(askedIn(inventory).some(({ ways }) => ways.some(({ ready, grpc }) => [ready, grpc].includes('tls')))
            ? trustFile(inventory)
            : []),
          ...shown.filter(({ kind }) => kind.name === 'file'),
        ],
        partOf: `${SERVICE}.service`,
      }),
      // Read again by itself whenever it has changed.
      file(
        ENDPOINTS,
        yamlFile(
          endpointsFile(
            wantedBy(inventory, vars).map(({ name }) => ({ address: name })),
            { strict: true },
          ),
        ),
        { mode: '0640', group: USER },
      ),
      ...webTasks({ host, vars, inventory }, WEB),
      ...programService(SERVICE, {
        release: PROGRAM,
        version,
        subcommand: 'query',
        flags: flagsOf(vars, inventory),
        unit: unitOf({
          title: 'Thanos Query',
          page: 'query',
          memory: vars.memory_max,
          tls: hasTls(vars),
          wants: [`${RELAY}.service`],
        }),
        restartsOn: grpcServerStarts(vars, inventory),
        reloads: false,
      }),
    ]
  },

  healthy({ host, vars, inventory }) {
    const self = endpointOf(host, vars)
    return [thanosReady('Query is ready', self), everyStoreSeen(self, wantedBy(inventory, vars)), queryAnswers(self)]
  },
  serves: ({ host, vars }) => [thanosReady('Query is ready', endpointOf(host, vars))],

  instance: ({ host, vars, inventory }) => ({
    ...programTasks('thanos', host),
    service: `service ${SERVICE}`,
    async status(reach) {
      const expected = wantedBy(inventory, vars)
      const { missing, failing } = storeProblems(await storesSeenBy(reach, endpointOf(host, vars)), expected)
      const answering = expected.length - missing.length - failing.length
      return { ready: true, shows: { endpoints: `${answering}/${expected.length}` } }
    },
  }),

  rollout: {
    titles: {
      all: 'Thanos Queries, one at a time',
      first: 'The first Thanos Query',
      joins: 'The new Thanos Query starts',
      learns: 'Thanos Queries learn of it, one at a time',
      forgets: 'Thanos Queries forget it, one at a time',
    },
    batch: 1,
    before: othersAnswer,
  },
  minimum,
  drained: ({ host, group }) =>
    group(GROUP)
      .filter((one) => one !== host)
      .map(answering),
  upgrade: { issues: queryIssues },
  scrape: ({ vars }) => scrapeOf(SERVICE, vars),
  reaches: ({ host, inventory }) =>
    askedIn(inventory)
      .filter((one) => one.host !== host)
      .flatMap(({ host: to, port, readyPort }) =>
        [port, ...(readyPort === undefined ? [] : [readyPort])].map((one) => ({
          name: one === port ? 'grpc' : 'web',
          to,
          address: to.address,
          port: one,
          why: 'Every answer then lacks its data.',
        })),
      ),

  needs: ({ vars }) => ({
    ports: portsOf(`${SERVICE}.service`, vars),
    folders: [RELEASES],
    memoryBytes: vars.memory_max ? byteCount(vars.memory_max) : undefined,
  }),
})

/** All that a Query is to see: those of the inventory, which it asks by its relay, and further ones. */
const wantedBy = (inventory: Inventory, { endpoints }: Pick<QueryVars, 'endpoints'>): readonly StoreWanted[] => [
  ...askedIn(inventory).map((one) => ({ name: relayed(one), address: joined(one.host.address, one.port) })),
  ...endpoints.map((address) => ({ name: address, address })),
]

const answering = (host: Host): Gate => thanosReady('Query is ready', endpointOf(host, queryOn(host)))

/** Before one is interrupted: the others answer. */
function othersAnswer({ inventory, batch }: PlayScope): readonly Gate[] {
  return inventory.hosts.filter((host) => host.groups.includes(GROUP) && !batch.includes(host)).map(answering)
}

function minimum(_: Host, left: readonly Host[]): TooFew | null {
  return left.length > 0
    ? null
    : { what: 'is the last Thanos Query: there would be no place to ask', fix: 'add another first' }
}

const flagsOf = (vars: QueryVars, inventory: Inventory): Flags => ({
  'http-address': vars.listen,
  'grpc-address': vars.grpc_listen,
  ...grpcServerFlags(vars, WEB),
  'http.config': vars.web_config && webConfigFile(WEB),
  'http-grace-period': '30s',
  'grpc-grace-period': '5s',
  'endpoint.sd-config-file': ENDPOINTS,
  'endpoint.sd-config-reload-interval': '5s',
  'query.replica-label': replicaLabels(inventory, vars),
  'deduplication.func': 'penalty',
  'query.partial-response': vars.partial_response,
  'query.timeout': vars.timeout,
  'query.max-concurrent': vars.max_concurrent,
  'store.response-timeout': vars.endpoint_timeout,
  'log.level': vars.log_level,
  ...vars.extra_flags,
})
