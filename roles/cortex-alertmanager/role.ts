import { readFileSync } from 'node:fs'
import { posix, resolve } from 'node:path'
import { z } from 'zod'
import { asAccount, asOwner } from '../../lib/as-owner.ts'
import { InputError } from '../../lib/errors.ts'
import { RELEASES } from '../../lib/host-paths.ts'
import { byteCount } from '../../lib/inventory/schema/fields.ts'
import { command } from '../../lib/kinds/command.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { file } from '../../lib/kinds/file.ts'
import { releaseBinary } from '../../lib/kinds/release.ts'
import { systemUser } from '../../lib/kinds/user.ts'
import type { Gate, Host, Inventory, PlayScope, Role, Task, TooFew } from '../../lib/model.ts'
import { memoryLimit } from '../../lib/program/memory-limit.ts'
import { programTasks, staged } from '../../lib/program/release.ts'
import { sandbox } from '../../lib/program/sandbox.ts'
import { programService } from '../../lib/program/service.ts'
import { template } from '../../lib/program/template.ts'
import { portOf, scrapeOf } from '../../lib/program/web.ts'
import { role } from '../../lib/role.ts'
import { word } from '../../lib/shell.ts'
import { endpointOf, metricsOf, readyAt, ringSeenBy, sumOf } from './api.ts'
import { checks } from './checks.ts'
import { CONFIG, configFile, stateFolder, tokensPath } from './config.ts'
import { forgetting } from './forget.ts'
import { everyTenantOwned, instanceReady, nothingFails, ringAgreed, storageIsShared } from './gates.ts'
import { issues } from './known-issues.ts'
import { advertised, GROUP, membersIn, membersOf } from './members.ts'
import { TOKENS, tokensFile } from './ring/tokens.ts'
import { hasRingTls, tlsFlags, tlsMistakes, tlsTasks } from './tls.ts'
import { type CortexVars, cortexOn, cortexVars, USER, WEB } from './vars.ts'

const PROGRAM = {
  owner: 'cortexproject',
  repo: 'cortex',
  name: 'cortex',
  binaries: ['cortex'],
  file: 'cortex-{os}-{arch}',
}
const SERVICE = 'cortex-alertmanager'
const unitText = template<{
  user: string
  command: string
  sandbox: readonly string[]
  limit: readonly string[]
  percent: number | undefined
}>(import.meta.url, 'templates/cortex-alertmanager.service.ejs')

/** One instance of a ring of Cortex's Alertmanagers. */
export const cortexAlertmanager: Role<CortexVars> = role<CortexVars>({
  name: 'cortex-alertmanager',
  title: 'Cortex Alertmanager',
  summary: 'One instance of a ring of multi-tenant Alertmanagers: its binary, configuration and service.',
  group: GROUP,
  vars: cortexVars,
  web: WEB,
  service: SERVICE,
  release: PROGRAM,
  mistakes: tlsMistakes,

  tasks({ host, vars, inventory, group }) {
    const tls = tlsTasks({ host, vars, inventory })
    const binary = releaseBinary(PROGRAM.name, vars.version, 'cortex')
    const config = file(CONFIG, configFile({ host, vars }, membersOf(group)), {
      mode: '0640',
      group: USER,
      // It lists modules once it has read and checked its configuration.
      validate: `${binary} -config.file="$1" -modules`,
    })
    return [
      systemUser(USER),
      directory('/etc/cortex-alertmanager'),
      directory(vars.data_dir, { mode: '0750', owner: USER }),
      directory(stateFolder(vars), { mode: '0750', owner: USER }),
      ...storageTasks(vars),
      ...tokenTasks(inventory, host, vars),
      ...tls.tasks,
      staged(PROGRAM, vars.version, host),
      config,
      ...programService(SERVICE, {
        release: PROGRAM,
        version: vars.version,
        flags: {
          'config.file': CONFIG,
          ...tlsFlags({ host, vars }),
          ...Object.fromEntries(Object.entries(vars.extra_flags).map(([name, value]) => [name, String(value)])),
        },
        unit: (line) =>
          unitText({
            user: USER,
            command: line,
            sandbox: sandbox({
              writes: [vars.data_dir, ...(vars.storage.backend === 'filesystem' ? [vars.storage.dir] : [])],
            }),
            ...memory(vars.memory_max),
          }),
        restartsOn: [config, ...tls.starts],
        reloads: false,
      }),
    ]
  },

  healthy({ host, vars, group }) {
    const members = membersOf(group)
    const self = { host, vars }
    const last = members.at(-1)?.host === host
    return [
      ...storageIsShared(self, members),
      instanceReady(self),
      ...(vars.sharding ? [ringAgreed(host, members)] : []),
      // Of the whole ring, and so once: it is the last that completes it.
      ...(vars.sharding && last ? [everyTenantOwned(host, members)] : []),
    ]
  },
  serves({ host, vars, group }) {
    return [instanceReady({ host, vars }), ...(vars.sharding ? [ringAgreed(host, membersOf(group))] : [])]
  },

  instance: ({ host, vars, group }) => ({
    ...programTasks(PROGRAM.name, host),
    service: `service ${SERVICE}`,
    ...(vars.zone !== undefined && { part: `zone ${vars.zone}` }),
    async status(reach) {
      const endpoint = endpointOf(host, vars)
      const [ready, ring, samples] = await Promise.all([
        readyAt(reach, endpoint),
        ringSeenBy(reach, endpoint),
        metricsOf(reach, endpoint, Object.keys(SHOWN)),
      ])
      const seen = (ring ?? []).filter(({ state }) => state === 'ACTIVE').map(({ id }) => id)
      return {
        ready,
        ...(ring && {
          members: { self: host.name, seen, expected: membersOf(group).map((member) => member.host.name) },
        }),
        shows: Object.fromEntries(Object.entries(SHOWN).map(([name, head]) => [head, String(sumOf(samples, name))])),
      }
    },
  }),

  rollout: {
    titles: {
      all: 'Cortex Alertmanagers, one at a time',
      first: 'The first Cortex Alertmanager',
      joins: 'The new Cortex Alertmanager joins the ring',
      learns: 'Cortex Alertmanagers learn of it, one at a time',
      forgets: 'Cortex Alertmanagers forget it, one at a time',
    },
    batch: 1,
    before: othersServe,
  },
  cluster: {
    joining: () => cortexAlertmanager,
    joined: 'The new Cortex Alertmanager has its part of the tenants',
    complete: 'No instance is missed, and every tenant has its replicas',
    forgetting: { title: 'Who has left is taken out of the ring', role: () => forgetting },
    nobodyMissed: ringIsWhole,
    whenSplit: 'each side has all tenants that it can and notifies by itself',
  },
  minimum,
  drained: ({ host, group }) => {
    const staying = membersOf(group)
    const [first] = staying
    return first ? [ringAgreed(first.host, staying, [host]), ...staying.map(nothingFails)] : []
  },
  data: { folder: ({ data_dir }) => data_dir },
  upgrade: { config: () => CONFIG, issues },
  scrape: ({ vars }) => {
    // Its own figures are not below the prefix of tenants' pages.
    const { config, ...scrape } = scrapeOf(SERVICE, { ...vars, external_url: undefined })
    // 17 KB for each tenant: 33 MB and 3 s at 2,000.
    return { ...scrape, config: { scrape_interval: '1m', scrape_timeout: '30s', ...config } }
  },
  reaches: ({ host, group }) =>
    membersOf(group)
      .filter((member) => member.host !== host)
      .flatMap((member) =>
        (['gossip', 'grpc'] as const).map((name) => ({
          name,
          to: member.host,
          address: advertised(member),
          port: name === 'grpc' ? member.vars.grpc_port : member.vars.gossip_port,
          why: 'An instance that others do not reach has no part in the ring, and its tenants a replica less.',
        })),
      ),
  checks,

  needs: ({ host, vars }) => ({
    ports: [portOf(vars.listen), vars.grpc_port, vars.sharding ? vars.gossip_port : vars.cluster_port].map((port) => ({
      ...{ port, protocol: 'tcp' as const, unit: `${SERVICE}.service` },
      ...(port === vars.grpc_port && hasRingTls(host, vars) && { closed: true as const }),
    })),
    folders: [vars.data_dir, RELEASES],
    memoryBytes: vars.memory_max.endsWith('%') ? undefined : byteCount(vars.memory_max),
  }),
})

/** Columns of `status`, by the metrics that they show. */
const SHOWN: Readonly<Record<string, string>> = {
  cortex_alertmanager_tenants_owned: 'owned',
  cortex_alertmanager_tenants_discovered: 'tenants',
  cortex_alertmanager_sync_configs_failed_total: 'failed syncs',
}

/** Before one is interrupted: all others see the whole ring, and nothing has failed on any of them for a while. */
function othersServe({ inventory, batch }: PlayScope): readonly Gate[] {
  const members = membersIn(inventory)
  const others = members.filter(({ host }) => !batch.includes(host))
  const [first] = others
  if (!first) return []
  return [
    ...others.map(instanceReady),
    ...(first.vars.sharding ? [ringAgreed(first.host, members, batch)] : []),
    ...others.map(nothingFails),
  ]
}

function ringIsWhole({ inventory, hosts }: PlayScope): readonly Gate[] {
  const members = membersIn(inventory)
  const [first] = members.filter(({ host }) => hosts.includes(host))
  return first?.vars.sharding ? [ringAgreed(first.host, members), everyTenantOwned(first.host, members)] : []
}

function minimum(host: Host, left: readonly Host[]): TooFew | null {
  const { replication_factor, sharding } = cortexOn(host)
  if (left.length === 0)
    return { what: 'is the last instance: no tenant would be notified of anything', fix: 'add another first' }
  return sharding && left.length < replication_factor
    ? {
        what: `would leave ${left.length} instances for ${replication_factor} replicas of each tenant`,
        fix: 'add another first',
      }
    : null
}

const memory = (max: string): { readonly limit: readonly string[]; readonly percent: number | undefined } => {
  if (!max.endsWith('%')) return { limit: memoryLimit(max), percent: undefined }
  return { limit: [`MemoryMax=${max}`], percent: Number(max.slice(0, -1)) }
}

/**
 * Whoever mounts the folder is not Vestal; a missing mount must not become a folder on the machine's own disk. It is looked at again when it is
 * its turn: before a first deploy there is no such user yet.
 */
const storageTasks = ({ storage }: CortexVars): readonly Task[] => {
  if (storage.backend !== 'filesystem') return []
  const dir = word(storage.dir)
  const usable = asAccount(USER, storage.dir, 'test -w .')
  return [
    command(
      `storage ${storage.dir}`,
      `if ! ( ${usable}
) >/dev/null 2>&1; then
  printf '%s is not there, or %s may not write to it: mount it on every instance first\\n' ${dir} ${USER} >&2
  exit 1
fi`,
      { unless: usable },
    ),
  ]
}

/** Chosen tokens count when an instance first joins: one that has tokens keeps them, as others would move its tenants. */
const tokenTasks = (inventory: Inventory, host: Host, vars: CortexVars): readonly Task[] => {
  if (vars.tokens === undefined) return []
  const path = tokensPath(vars)
  const text = tokensFile(chosenTokens(resolve(inventory.folder, vars.tokens, `${host.name}.json`)))
  return [
    command(
      `tokens ${path}`,
      asOwner(
        posix.dirname(path),
        `set -eu
umask 077
new=${word(`${posix.basename(path)}.vestal-new`)}
rm -rf "$new"
printf %s ${word(text)} >"$new"
mv -T "$new" ${word(posix.basename(path))}`,
      ),
      { creates: path },
    ),
  ]
}

/** Throws InputError for a file that holds no tokens. */
const chosenTokens = (path: string): readonly number[] => {
  const fix = 'Make it with vestal tenants capacity --choose, or leave cortex_alertmanager.tokens out.'
  try {
    return TOKENS_FORM.parse(JSON.parse(readFileSync(path, 'utf8'))).tokens
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message
    throw new InputError([{ where: path, path: 'cortex_alertmanager.tokens', what: `holds no tokens: ${why}`, fix }])
  }
}

const TOKENS_FORM = z.strictObject({
  tokens: z
    .array(
      z
        .int()
        .min(0)
        .max(2 ** 32 - 1),
    )
    .length(TOKENS),
})
