import type { Change, State, Task } from '../model.ts'

/** The one comparison: what differs between what a task wants and what is; null when nothing does. */
export const compare = (task: Task, from: State | null): Change | null => {
  if (task.desired === null) return from === null ? null : { task, from, to: null, fields: [] }
  const fields = Object.entries(task.desired)
    .filter(([field, value]) => value !== undefined && from?.[field] !== value)
    .map(([field]) => field)
  return fields.length === 0 ? null : { task, from, to: task.desired, fields }
}

/** Why a change is needed, in one line. */
export const why = (change: Change): string => {
  const said = change.task.kind.explain?.(change)
  if (said) return said
  if (change.from === null) return 'is missing'
  if (change.to === null) return 'must not be there'
  return change.fields
    .map((field) => `${field}: ${change.from?.[field] ?? 'unknown'} → ${change.to?.[field]}`)
    .join(', ')
}
