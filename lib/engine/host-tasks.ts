import { isDeepStrictEqual } from 'node:util'
import { InputError, type Mistake } from '../errors.ts'
import { didYouMean } from '../inventory/did-you-mean.ts'
import type { Host, Inventory, Play, Playbook, Task } from '../model.ts'
import { taskId } from '../model.ts'
import { rolesOf, rolesOn, scopeOf } from '../playbook.ts'

/** What one play wants of one host: its tasks in order, each with the role it comes from. */
export interface HostTasks {
  readonly play: Play
  readonly host: Host
  readonly items: readonly RoleTask[]
}
export interface RoleTask {
  readonly role: string
  readonly task: Task
}
export interface WorkOptions {
  readonly hosts: readonly Host[]
  readonly tags?: readonly string[]
  readonly signal?: AbortSignal
}

/**
 * Every play's tasks for every chosen host, completed on the controller. A task that an earlier play of the same host already
 * holds is left out. Throws InputError where two tasks want different things of one thing, a role cannot serve a host, or
 * nothing has one of the tags.
 */
export const hostTasksOf = async (
  book: Playbook,
  inventory: Inventory,
  options: WorkOptions,
): Promise<readonly HostTasks[]> => {
  const raw = book.plays.flatMap((play) =>
    options.hosts.filter(play.hosts).map((host) => ({ play, host, items: itemsOf(play, host, inventory) })),
  )
  const mistakes = [...raw.flatMap(({ host, items }) => clashes(host, items)), ...unknownTags(book, raw, options.tags)]
  if (mistakes.length > 0) throw new InputError(mistakes)
  const prepared = await Promise.all(
    raw.map(async (work) => ({ ...work, items: await prepare(work, inventory, options.signal) })),
  )
  return onceEach(prepared).map((work) => ({ ...work, items: work.items.filter((item) => chosen(item, options.tags)) }))
}

const itemsOf = (play: Play, host: Host, inventory: Inventory): readonly RoleTask[] =>
  rolesOn(host, play.roles).flatMap((role) =>
    role.tasks(scopeOf(role, host, inventory)).map((task) => ({ role: role.name, task })),
  )

const chosen = ({ role, task }: RoleTask, tags: readonly string[] | undefined): boolean =>
  !tags || tags.includes(role) || (task.tags?.some((tag) => tags.includes(tag)) ?? false)

const clashes = (host: Host, items: readonly RoleTask[]) => {
  const groups = [...Map.groupBy(items, (item) => taskId(item.task)).entries()]
  return groups
    .filter(([, same]) => same.some((item) => !isDeepStrictEqual(item.task.desired, same[0]?.task.desired)))
    .map(([id, same]) => ({
      where: `host ${host.name}`,
      what: `${id} is wanted in two ways, by ${[...new Set(same.map((item) => item.role))].join(' and ')}`,
      fix: 'Give the roles different paths or names, or let only one of them own it.',
    }))
}

/** A slip in a tag would choose nothing, and look as if all were done. */
const unknownTags = (book: Playbook, works: readonly HostTasks[], tags: readonly string[] = []): readonly Mistake[] => {
  const roles = rolesOf(book).map(({ name }) => name)
  const own = works.flatMap(({ items }) => items.flatMap(({ task }) => task.tags ?? []))
  const known = [...new Set([...roles, ...own])]
  return tags
    .filter((tag) => !known.includes(tag))
    .map((tag) => ({
      where: '--tags',
      path: tag,
      what: `no role or task has that tag${didYouMean(tag, known)}`,
      fix: `there are ${known.join(', ')}`,
    }))
}

const prepare = async (
  { host, items }: HostTasks,
  inventory: Inventory,
  signal: AbortSignal | undefined,
): Promise<readonly RoleTask[]> => {
  const kinds = new Set(items.map((item) => item.task.kind).filter((kind) => kind.prepare))
  let ready = items
  for (const kind of kinds) {
    const mine = ready.filter((item) => item.task.kind === kind).map((item) => item.task)
    const done = (await kind.prepare?.(mine, { inventory, host, signal })) ?? mine
    const byKey = new Map(done.map((task) => [task.key, task]))
    ready = ready.map((item) => ({
      ...item,
      task: item.task.kind === kind ? (byKey.get(item.task.key) ?? item.task) : item.task,
    }))
  }
  return ready
}

const onceEach = (works: readonly HostTasks[]): readonly HostTasks[] => {
  const seen = new Map<Host, Set<string>>()
  return works.map((work) => {
    const known = seen.get(work.host) ?? new Set()
    seen.set(work.host, known)
    if (work.play.passing) return work
    const items = work.items.filter(({ task }) => !known.has(taskId(task)) && known.add(taskId(task)))
    return { ...work, items }
  })
}
