/** What a deploy of the adopted inventory will do otherwise than what runs, each with its reason. */
import { type ServiceData, serviceKind } from '../../lib/kinds/service.ts'
import type { Host, Inventory, Role } from '../../lib/model.ts'
import { isOn, scopeOf } from '../../lib/playbook.ts'
import { prometheusOn } from '../../roles/prometheus/vars.ts'
import type { Adoption } from './adopt.ts'
import { commandFlags } from './command-flags.ts'
import { isSecretFlag, type Program } from './program.ts'

/** A difference, and the hosts that it is on. */
export interface Change {
  readonly hosts: readonly string[]
  readonly program: string
  readonly what: string
  readonly why: string
}
type One = Omit<Change, 'hosts'>

/** It changes what is written, and nothing of what a program does. */
export const isOfForm = ({ why }: Change): boolean => [OUTRIGHT, OUTRIGHT_NO, SAME_FORM].includes(why)

const OUTRIGHT = 'it is so already: Vestal says it outright'
const OUTRIGHT_NO = 'it is so without it'
const SAME_FORM = 'the same in the form that Vestal writes'
/** Paths and times, which settings hold in one form. */
const FORMS = new Set([
  ...['storage.tsdb.path', 'storage.path', 'collector.textfile.directory', 'storage.tsdb.retention.time'],
  ...['storage.tsdb.retention.size', 'data.retention', 'rules.alert.resend-delay', 'cluster.peer-timeout'],
  ...['cluster.gossip-interval', 'cluster.settle-timeout', 'cluster.reconnect-timeout'],
])
const WHY: Readonly<Record<string, string>> = {
  'config.file': 'each service reads its configuration from one place',
  'web.config.file': 'each service reads its web configuration from one place',
  'cluster.listen-address': 'a member listens to all its addresses',
  'cluster.advertise-address': 'members tell each other an address that stays',
  'cluster.peer-name': 'a member keeps its place among the others over a restart',
  'cluster.peer': 'each member knows all others from the inventory',
  'cluster.pushpull-interval': 'a third of peer_timeout: a member hears of a notification before it would send one too',
  'cluster.reconnect-timeout': 'members forget one that is gone for good within minutes, not hours',
  'collector.textfile.directory': 'canary alerts are written there as metrics',
}

/** Throws InputError as roles do where the inventory's own files can't be read. */
export const changesOf = (
  { programs, replicaLabel }: Pick<Adoption, 'programs' | 'replicaLabel'>,
  inventory: Inventory,
): readonly Change[] => {
  const found = programs.flatMap((program) => {
    const host = inventory.hosts.find(({ name }) => name === program.look.host.name)
    const role = host && inventory.roles.find((one) => serviceOf(program) === one.service && isOn(one, host))
    return host && role
      ? [...flagChanges(program, role, { host, inventory }), ...ownChanges(program, { host, replicaLabel })].map(
          (change) => ({
            host: host.name,
            change,
          }),
        )
      : []
  })
  return [...Map.groupBy(found, ({ change }) => JSON.stringify(change)).values()].flatMap(([first, ...others]) =>
    first ? [{ hosts: [first, ...others].map(({ host }) => host), ...first.change }] : [],
  )
}

const serviceOf = ({ name, exporter }: Program): string => exporter?.release.name ?? name

const flagChanges = (
  program: Program,
  role: Role,
  { host, inventory }: { readonly host: Host; readonly inventory: Inventory },
): readonly One[] => {
  const task = role.tasks(scopeOf(role, host, inventory)).find(({ kind }) => kind.name === serviceKind.name)
  const { command = [], defaults = {} } = (task?.data ?? {}) as Partial<ServiceData>
  const [now, then] = [program.flags, commandFlags(command).flags]
  const told = (what: string, why: string): One => ({ program: program.name, what, why })
  const shown = (name: string, values: readonly (string | boolean)[]): string =>
    values
      .map((value) => {
        if (typeof value === 'boolean') return value ? `--${name}` : `--no-${name}`
        return `--${name}=${isSecretFlag(program, name, value) ? '…' : value}`
      })
      .join(' ')
  const added = [...then]
    .filter(([name]) => !now.has(name))
    .map(([name, values]) => {
      const isDefault = values.length === 1 && defaults[name]?.includes(String(values[0]))
      return told(`new flag ${shown(name, values)}`, isDefault ? OUTRIGHT : (WHY[name] ?? 'a setting of the role'))
    })
  const changed = [...then].flatMap(([name, values]) => {
    const was = now.get(name)
    if (was === undefined || same(was, values, defaults[name])) return []
    return [
      told(
        `${shown(name, was)} becomes ${shown(name, values)}`,
        WHY[name] ?? (FORMS.has(name) ? SAME_FORM : 'a setting of the role'),
      ),
    ]
  })
  const gone = [...now]
    .filter(([name]) => !then.has(name))
    .map(([name, values]) =>
      told(
        `no flag ${shown(name, values)} any more`,
        values.length === 1 && defaults[name]?.includes(String(values[0]))
          ? OUTRIGHT_NO
          : 'a setting stands for it, or none does: see above',
      ),
    )
  const right =
    changed.length === 0 &&
    added.every(({ why }) => why === OUTRIGHT) &&
    gone.every(({ why }) => why === OUTRIGHT_NO) &&
    program.process.unit === `${serviceOf(program)}.service`
  return [
    ...added,
    ...changed,
    ...gone,
    ...(right
      ? [told('is not restarted', 'its flags are right; a binary that is not the release’s would be exchanged')]
      : []),
  ]
}

const same = (
  was: readonly (string | boolean)[],
  is: readonly (string | boolean)[],
  usual: readonly string[] = [],
): boolean =>
  [...was].map(String).sort().join('\n') === [...is].map(String).sort().join('\n') ||
  (was.length === 1 && is.length === 1 && [was, is].every(([one]) => usual.includes(String(one))))

/** What stands in the configuration beside what stood there. */
const ownChanges = (
  program: Program,
  { host, replicaLabel }: { readonly host: Host; readonly replicaLabel?: string },
): readonly One[] => {
  const { name, process, exporter } = program
  const told = (what: string, why: string): One => ({ program: name, what, why })
  const service = serviceOf(program)
  const account = name === 'node_exporter' ? 'node-exp' : (exporter?.release.name ?? name)
  const ours = [
    ...(process.user === account
      ? []
      : [told(`runs as ${account}, not as ${process.user}`, 'each service has an account of its own')]),
    ...(process.unit === `${service}.service`
      ? []
      : [told(`is ${service}.service, not ${process.unit}`, 'the unit of a service is called as its program is')]),
  ]
  if (name === 'alertmanager')
    return [
      ...ours,
      told('a route and a receiver for canary alerts', 'so that a run can be watched; they notify nobody'),
    ]
  if (name !== 'prometheus') return ours
  const vars = prometheusOn(host)
  const { replica_label } = vars
  return [
    ...ours,
    told('a rule for canary alerts', 'so that a run can be watched; without one it never fires'),
    ...(vars.targets.vestal_canary
      ? [told('a job vestal_canary', 'no job of its own reads a machine that canary alerts come from')]
      : []),
    ...(replicaLabel === undefined
      ? [told(`the external label ${replica_label} is the host’s name`, 'samples of replicas are told apart')]
      : []),
    told(`alerts lose the label ${replica_label}`, 'those of all replicas are the same alert'),
  ]
}
