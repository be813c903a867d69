import type { Kind, Task } from '../model.ts'
import { pending } from './pending.ts'

export type PackagesState = Readonly<{ missing: string }>

export const packagesKind: Kind<PackagesState, readonly string[]> = pending('package', '')

/** Packages of the system's own package manager (apt or dnf), any version. */
export const packages = (names: readonly string[]): Task<PackagesState, readonly string[]> => ({
  kind: packagesKind,
  key: names.join(' '),
  desired: { missing: '' },
  data: names,
})
