import { type ServiceData, serviceKind } from '../../../lib/kinds/service.ts'
import type { Playbook, Task } from '../../../lib/model.ts'
import { CERTIFICATES } from '../../../lib/program/certificates.ts'
import { AUTHORITY } from '../../../lib/program/certified.ts'

/**
 * The same playbook, in which services that don't read by themselves whom they trust count as a matter of certificates: those that read it when they start only
 * (the gossip of Alertmanagers, Thanos) are restarted where it changes, with the care that any restart of theirs has, and a gateway is reloaded. What else they
 * were started with is left for a deploy.
 */
export const trustReadAgain = (book: Playbook): Playbook =>
  withTasks(book, (task) => {
    if (task.kind.name !== serviceKind.name) return task
    const data = task.data as ServiceData
    const [starts, loads] = [data.starts, data.loads].map((some) => some.filter(({ path }) => path === AUTHORITY))
    if (!starts?.length && !loads?.length) return task
    const desired = { ...(starts?.length && { started: 'same' }), ...(loads?.length && { loaded: 'same' }) }
    return { ...task, desired, data: { ...data, starts: starts ?? [], loads: loads ?? [] }, tags: [CERTIFICATES] }
  })

/** The same playbook with other tasks. */
export const withTasks = (book: Playbook, change: (task: Task) => Task): Playbook => ({
  ...book,
  plays: book.plays.map((play) => ({
    ...play,
    roles: play.roles.map((role) => ({ ...role, tasks: (scope) => role.tasks(scope).map(change) })),
  })),
})
