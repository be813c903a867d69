import type { Kind, Task } from '../model.ts'
import { pending } from './pending.ts'

export type UserState = Readonly<{ groups: string }>
export interface UserData {
  readonly home: string
  readonly shell: string
  readonly groups: readonly string[]
}
export interface UserOptions {
  readonly home?: string
  readonly shell?: string
  /** Further groups it must be in; others are left alone. */
  readonly groups?: readonly string[]
}

export const userKind: Kind<UserState, UserData> = pending('user', '')

/** A system user with a group of its own name. One that exists already is kept as it is; only missing groups are added. */
export const systemUser = (name: string, options: UserOptions = {}): Task<UserState, UserData> => {
  const { home = '/nonexistent', shell = '/usr/sbin/nologin', groups = [] } = options
  return { kind: userKind, key: name, desired: { groups: 'complete' }, data: { home, shell, groups } }
}
