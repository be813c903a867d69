/**
 * The lock of a group: members that do each other's work are held together by a run that is to interrupt one of them, each by its own
 * host's lock. What interrupts a member is a script on its host, under that host's lock: so a run that holds another member's lock, which it has
 * to before its own member's turn, knows that no other run's script works there, and none begins. Of members that one of two runs cannot reach,
 * this holds where each has more than half of the group, as they then have one in common. That a killed run has left none of them standing still
 * is for the gates to say, which are asked afterwards.
 */
import { HostError } from '../errors.ts'
import type { Host, Reach } from '../model.ts'
import { listed } from '../wording.ts'
import { freeLock, LOCKED, type LockRequest, lockedError, lockFunctions, takeLock, touchLock } from './lock.ts'

export interface Holding {
  readonly reach: Reach
  /** What a host's lock is asked with. */
  lockOf(host: Host): LockRequest
  readonly signal?: AbortSignal
  /** Hosts that this run holds already; those that are taken join them. */
  readonly held: Set<Host>
}

/**
 * Takes the lock of every member of these groups that can be reached, or makes sure of it where this run has it already: in the order of their
 * names, so that of two runs one gets the first and the other none. Throws HostError, with whose run it is, where another run works on one; and
 * where so few of a group can be reached that another run might hold the rest: there must be more than half, or half with the first by name.
 */
export const holdMembers = async (groups: readonly (readonly Host[])[], holding: Holding): Promise<void> => {
  const ordered = inOrder(groups.flat())
  const known = ordered.filter((host) => holding.held.has(host))
  const lost = (await Promise.all(known.map((host) => hold(host, holding)))).flatMap((one) => one ?? [])
  for (const host of ordered.filter((one) => !known.includes(one))) {
    const error = await hold(host, holding)
    if (error) lost.push(error)
    else holding.held.add(host)
  }
  const away = new Set(lost.map(({ host }) => host))
  for (const group of groups) requireMost(inOrder(group), away)
}

/** By name, each once. */
const inOrder = (hosts: readonly Host[]): readonly Host[] =>
  [...new Map(hosts.map((host) => [host.name, host])).values()].sort((one, other) => (one.name < other.name ? -1 : 1))

/** Throws HostError where no more than half of a group's members, or half without the first by name, are held. */
const requireMost = (group: readonly Host[], away: ReadonlySet<string>): void => {
  const here = group.filter(({ name }) => !away.has(name))
  const half = group.length / 2
  if (here.length > half || (here.length === half && here[0] === group[0])) return
  const missing = group.filter(({ name }) => away.has(name)).map(({ name }) => name)
  throw new HostError(
    missing[0] ?? '',
    `of ${listed(group.map(({ name }) => name))} only ${here.length} can be reached, so another run may be at work on the others: ${listed(missing)}`,
    {
      task: 'lock',
      hint: 'See why they cannot be reached; one that is gone for good is taken out by remove-node --dead.',
    },
  )
}

/** A sign of life on every host that a run has locked, well within the lease, until it is cleared. `hosts` is looked at anew each time. */
export const keepLocks = (hosts: Iterable<Host>, { run, reach }: { run: string; reach: Reach }): NodeJS.Timeout =>
  setInterval(() => {
    for (const host of hosts) {
      void reach(host)
        .then((connection) => connection.exec(touchLock(run)))
        .catch(() => undefined)
    }
  }, 60_000).unref()

/** Gives back what earlier runs of this command hold, so that runs of another one can take it. A host that can't be reached is passed over. */
export const freeMembers = async (
  hosts: readonly Host[],
  { command, reach }: { readonly command: string; readonly reach: Reach },
): Promise<void> => {
  const script = `${lockFunctions}\n${freeLock(command)}`
  await Promise.allSettled(hosts.map(async (host) => (await reach(host)).exec(script, { within: '30s' })))
}

/** Returns why a member can't be reached. Throws HostError where another run has it. */
const hold = async (host: Host, { reach, lockOf, signal }: Holding): Promise<HostError | undefined> => {
  try {
    const connection = await reach(host)
    const { code, stdout, stderr } = await connection.exec(`${lockFunctions}\n${takeLock(lockOf(host))}`, {
      signal,
      within: '2m',
    })
    if (code === LOCKED) throw new Held(lockedError(host.name, stdout.toString()))
    if (code !== 0) throw new Held(new HostError(host.name, stderr.trim() || `exit code ${code}`, { task: 'lock' }))
    return undefined
  } catch (error) {
    if (error instanceof Held) throw error.why
    if (error instanceof HostError) return error
    throw error
  }
}

/** Tells a host that said no from one that said nothing. */
class Held extends Error {
  readonly why: HostError
  constructor(why: HostError) {
    super(why.message)
    this.why = why
  }
}
