import type { Change, Kind, Step, Task } from '../model.ts'
import { word, words } from '../shell.ts'
import { absolutePath, accountName } from './check.ts'

/** `ownGroup` says whether there is a group of the user's name; `groups` is `complete`, or says in which further ones it is not. */
export type UserState = Readonly<{ ownGroup: boolean; groups: string }>
export interface UserData {
  readonly home: string
  readonly shell: string
  readonly groups: readonly string[]
}
export interface UserOptions {
  readonly home?: string
  readonly shell?: string
  /** Further groups it must be in; others are left alone. They must exist. */
  readonly groups?: readonly string[]
}

export const userKind: Kind<UserState, UserData> = {
  name: 'user',
  summary:
    'A system user with a group of its own name. One that exists is kept as it is; only missing groups are added.',
  probe: (tasks) => {
    const groups = [...new Set(tasks.flatMap(({ key, data }) => [key, ...data.groups]))]
    return `getent passwd -- ${words(tasks.map(({ key }) => key))}
printf '\\0'
getent group -- ${words(groups)}`
  },
  parse: (stdout, tasks) => {
    const [users = '', groups = ''] = stdout.toString().split('\0', 2)
    const primary = new Map(columns(users).map(([name = '', , , gid = '']) => [name, gid]))
    const members = new Map(columns(groups).map(([name, , gid, list = '']) => [name, { gid, list: list.split(',') }]))
    const isIn = (user: string, group: string): boolean =>
      members.get(group)?.list.includes(user) || members.get(group)?.gid === primary.get(user)
    return new Map(
      tasks
        .filter(({ key }) => primary.has(key))
        .map(({ key, data }) => [
          key,
          { ownGroup: members.has(key), groups: state(data.groups.filter((group) => !isIn(key, group))) },
        ]),
    )
  },
  converge: (change) => {
    const { task, from, fields } = change
    if (from === null) return [create(task)]
    return [
      ...(fields.includes('ownGroup') ? [addOwnGroup(task.key)] : []),
      ...(fields.includes('groups') ? [join(change)] : []),
    ]
  },
  explain: ({ from, fields }) =>
    from === null
      ? ''
      : fields
          .map((field) => (field === 'ownGroup' ? 'there is no group of that name' : `is ${from.groups}`))
          .join(', '),
}

/** A system user with a group of its own name. Throws InputError on a name or path that a system wouldn't take. */
export const systemUser = (name: string, options: UserOptions = {}): Task<UserState, UserData> => {
  const { home = '/nonexistent', shell = '/usr/sbin/nologin', groups = [] } = options
  return {
    kind: userKind,
    key: accountName(name),
    desired: { ownGroup: true, groups: 'complete' },
    data: { home: absolutePath(home), shell: absolutePath(shell), groups: groups.map(accountName) },
  }
}

const columns = (lines: string): readonly (readonly string[])[] =>
  lines
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(':'))

const state = (missing: readonly string[]): string =>
  missing.length === 0 ? 'complete' : `not in ${missing.join(', ')}`

const create = ({ key, data: { home, shell, groups } }: Task<UserState, UserData>): Step => ({
  title: `add the user ${key}`,
  run: `group=--user-group
if getent group -- ${word(key)} >/dev/null; then group=--gid=${word(key)}; fi
useradd --system "$group" --no-create-home --home-dir ${word(home)} --shell ${word(shell)}${
    groups.length === 0 ? '' : ` --groups ${word(groups.join(','))}`
  } ${word(key)}`,
  undo: `if getent passwd -- ${word(key)} >/dev/null; then userdel ${word(key)}; fi`,
})

/**
 * useradd(8) writes one file after another: a machine that lost its power meanwhile has a user whose group there is not. This is
 * never taken back, as nothing can rest on an account that is broken.
 */
const addOwnGroup = (name: string): Step => ({
  title: `add the group ${name}`,
  run: `gid=$(id -g -- ${word(name)})
if getent group -- "$gid" >/dev/null; then groupadd --system ${word(name)}; else groupadd --gid "$gid" ${word(name)}; fi`,
})

const join = ({ task: { key, data }, from }: Change<UserState, UserData>): Step => {
  const missing = data.groups.filter((group) => from?.groups.replace('not in ', '').split(', ').includes(group))
  return {
    title: `add ${key} to ${missing.join(', ')}`,
    run: `usermod --append --groups ${word(missing.join(','))} ${word(key)}`,
    undo: missing.map((group) => `gpasswd --delete ${word(key)} ${word(group)} >/dev/null`).join('\n'),
  }
}
