import { createHash } from 'node:crypto'
import type { Kind, Task } from '../model.ts'
import { pending } from './pending.ts'

export type UnitState = Readonly<{
  type: string
  sha256: string
  mode: string
  owner: string
  group: string
  needsReload: boolean
}>
export interface UnitData {
  readonly text: string
  readonly flagsOf?: FlagsOf
}
export interface FlagsOf {
  readonly binary: string
  readonly flags: readonly string[]
}

export const unitKind: Kind<UnitState, UnitData> = pending('unit', '')

/** A systemd unit file in /etc/systemd/system. With `flagsOf`, every flag must appear in `binary --help` before the unit is put in place. */
export const unit = (
  name: string,
  text: string,
  options: { readonly flagsOf?: FlagsOf } = {},
): Task<UnitState, UnitData> => ({
  kind: unitKind,
  key: name,
  desired: {
    type: 'file',
    sha256: createHash('sha256').update(text).digest('hex'),
    mode: '0644',
    owner: 'root',
    group: 'root',
    needsReload: false,
  },
  data: { text, flagsOf: options.flagsOf },
})
