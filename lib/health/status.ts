/** One look at a fleet: what every role's instance on every host says, and how far each host is from the inventory. */
import pLimit from 'p-limit'
import { askGates } from '../engine/gates.ts'
import { type HostTasks, hostTasksOf } from '../engine/host-tasks.ts'
import { planHost } from '../engine/plan.ts'
import type { Reading } from '../engine/probe.ts'
import { readHost } from '../engine/read.ts'
import { HostError, LinkError } from '../errors.ts'
import type { Facts, Gate, Host, Instance, Inventory, Playbook, ProgramStatus, Reach, Role } from '../model.ts'
import { taskId } from '../model.ts'
import { rolesGiven, scopeOf } from '../playbook.ts'
import { understood } from '../understood.ts'
import { cachedReach } from './cached-reach.ts'
import { type Answered, type Failing, withCauses } from './causes.ts'
import { notesOf } from './notes.ts'
import { certificateOf, configOf, serviceOf, versionOf } from './service-state.ts'
import type { FleetStatus, InstanceStatus } from './types.ts'

export interface StatusOptions {
  readonly hosts: readonly Host[]
  readonly forks: number
  readonly reach: Reach
  readonly signal?: AbortSignal
  /** Called with a host whose link was lost or could not be made, so that a later look tries again. */
  readonly onLost?: (host: Host) => void
}

/**
 * Reads each host in one exec, and asks each program over the same link at the same time. Throws InputError where the roles
 * can't say what they want, such as a release that is nowhere; a host that fails is part of what is seen.
 */
export const fleetStatus = async (
  book: Playbook,
  inventory: Inventory,
  options: StatusOptions,
): Promise<FleetStatus> => {
  const { hosts, forks, signal } = options
  const reach = cachedReach(options.reach)
  for (const host of hosts.slice(0, forks)) reach(host).catch(() => undefined)
  const asked = hosts.map((host) => ({ host, instances: instancesOn(host, { book, inventory, reach }) }))
  const works = await hostTasksOf(book, inventory, { hosts, signal })
  const limit = pLimit(forks)
  const looks = await Promise.all(
    asked.map(({ host, instances }) =>
      limit(async () => {
        const mine = works.filter((work) => work.host === host)
        const [reading, said] = await Promise.all([
          read(host, mine, options, reach),
          Promise.all(instances.map((ask) => ask())),
        ])
        return { host, reading, works: mine, said }
      }),
    ),
  )
  const seen = looks.map(statusOf)
  const instances = withCauses(seen.flatMap((one) => one.instances))
  const byHost = Object.fromEntries(seen.map(({ name, look }) => [name, look]))
  return {
    vestal: 'status/1',
    inventory: inventory.name,
    at: new Date().toISOString(),
    healthy: instances.every(({ healthy }) => healthy) && seen.every(({ look }) => look.reachable),
    instances,
    hosts: byHost,
    notes: notesOf(instances, byHost, inventory.roles),
  }
}

/** What a role's instance says: its gates' answers and its own signs. */
interface Said {
  readonly role: string
  readonly instance?: Instance
  readonly failing: readonly Failing[]
  readonly signs?: ProgramStatus
}

const instancesOn = (
  host: Host,
  { book, inventory, reach }: { readonly book: Playbook; readonly inventory: Inventory; readonly reach: Reach },
): readonly (() => Promise<Said>)[] =>
  rolesGiven(book, host).flatMap((role) => askInstance(role, host, { inventory, reach }))

const askInstance = (
  role: Role,
  host: Host,
  { inventory, reach }: { readonly inventory: Inventory; readonly reach: Reach },
): readonly (() => Promise<Said>)[] => {
  const scope = scopeOf(role, host, inventory)
  const gates = role.healthy(scope)
  const instance = role.instance?.(scope)
  if (gates.length === 0 && !instance) return []
  return [
    async () => {
      const lacking = new Map<string, readonly string[]>()
      const [answers, signs] = await Promise.all([
        askGates(gates.map(once), {
          play: 'status',
          reach,
          emit: (told) => {
            if (told.event === 'gate' && !told.verdict.pass) lacking.set(told.name, told.verdict.lacks ?? [])
          },
        }),
        instance?.status?.(reach).catch(notUnderstood),
      ])
      const failing = answers
        .filter(({ pass }) => !pass)
        .map(({ name, why }): Failing => ({ text: `${name}: ${why}`, lacks: lacking.get(name) }))
      return signs instanceof Error
        ? {
            role: role.name,
            instance,
            failing: [...failing, { text: `what it says cannot be understood: ${signs.message}` }],
          }
        : { role: role.name, instance, failing, signs }
    },
  ]
}

/** A status is a look, not a wait. */
const once = (gate: Gate): Gate => ({ ...gate, within: '0s' })

/** What doesn't answer says so to the gates as well. Anything else is what the instance has answered: it fails alone. */
const notUnderstood = (error: unknown): Error | undefined => {
  if (error instanceof HostError) return undefined
  return error instanceof Error ? error : new Error(String(error))
}

const read = async (
  host: Host,
  works: readonly HostTasks[],
  { signal, onLost }: StatusOptions,
  reach: Reach,
): Promise<Reading | HostError> => {
  try {
    const tasks = works.flatMap(({ items }) => items.map(({ task }) => task))
    return await readHost(await reach(host), tasks, { signal })
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    if (error instanceof LinkError) onLost?.(host)
    return error
  }
}

interface HostAnswers {
  readonly host: Host
  readonly reading: Reading | HostError
  readonly works: readonly HostTasks[]
  readonly said: readonly Said[]
}

/** A host whose answers make no sense together is one that could not be read. */
const statusOf = (answers: HostAnswers) => {
  try {
    return understood(answers.host.name, 'itself', () => hostStatus(answers))
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return hostStatus({ ...answers, reading: error })
  }
}

const hostStatus = ({ host, reading, works, said }: HostAnswers) => {
  const { name, address } = host
  if (reading instanceof HostError) {
    const instances = said.map(
      ({ role, instance, failing, signs }): Answered => ({
        ...{ instance: name, role, part: instance?.part, address, reachable: false },
        ...signs,
        failing,
      }),
    )
    return { name, look: { reachable: false, why: reading.message }, instances }
  }
  const changes = works.flatMap((work) => planHost(work, reading).planned.map(({ item }) => item))
  const shown = new Set(said.map(({ role }) => role))
  const tasksOf = (of: string) =>
    works.flatMap(({ items }) => items.filter(({ role }) => role === of).map(({ task }) => taskId(task)))
  const instances = said.map(({ role, instance, failing, signs }, index): Answered => {
    // What belongs to no row, such as the rules of a Prometheus, counts with the host's last, its main one.
    const own = (of: string) => of === role || (index === said.length - 1 && !shown.has(of))
    const service = instance && serviceOf(reading, instance)
    return {
      ...{ instance: name, role, part: instance?.part, address, reachable: true },
      ...signs,
      failing,
      ...(instance && { service: service?.active, version: versionOf(reading, instance), config: configOf(service) }),
      ...certificate(certificateOf(reading, tasksOf(role))),
      ...(service?.since && sinceOf(service.since, reading.facts)),
      drift: changes.filter((item) => own(item.role)).length,
    }
  })
  const look = { reachable: true, changes: changes.map(({ task }) => taskId(task)), facts: reading.facts }
  return { name, look, instances }
}

const certificate = (found: InstanceStatus['certificate']): Pick<InstanceStatus, 'certificate'> =>
  found ? { certificate: found } : {}

/** By the host's own clock, so that one that is off doesn't lie about it. */
const sinceOf = (since: number, { clockSkewMs }: Facts): Pick<InstanceStatus, 'startedAt' | 'uptimeSeconds'> => ({
  startedAt: new Date(since).toISOString(),
  uptimeSeconds: Math.max(0, Math.round((Date.now() + clockSkewMs - since) / 1_000)),
})
