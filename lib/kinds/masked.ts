import { InputError } from '../errors.ts'
import type { Change, Kind, Step, Task } from '../model.ts'
import { word, words } from '../shell.ts'

/** `active` is systemd's word where it isn't `inactive` or `failed`, which are both `stopped`. */
export type MaskedState = Readonly<{ masked: boolean; active: string }>

export const maskedKind: Kind<MaskedState, null> = {
  name: 'masked',
  summary: 'A unit of others that must not run beside ours: stopped and masked, before its package brings it too.',
  probe: (tasks) =>
    `systemctl show --property=LoadState,ActiveState -- ${words(tasks.map(({ key }) => key))} 2>/dev/null`,
  parse: (stdout, tasks) => {
    const blocks = stdout.toString().trim().split(/\n\n+/)
    return new Map(
      tasks.flatMap(({ key }, at) => {
        const active = /^ActiveState=(.+)$/m.exec(blocks[at] ?? '')?.[1]
        if (active === undefined) return []
        const masked = /^LoadState=masked$/m.test(blocks[at] ?? '')
        return [[key, { masked, active: ['inactive', 'failed'].includes(active) ? 'stopped' : active }]]
      }),
    )
  },
  converge: (change) => [mask(change)],
  explain: ({ from }) => {
    if (from === null) return ''
    return [
      ...(from.masked ? [] : ['is not masked']),
      ...(from.active === 'stopped' ? [] : [`is ${from.active}`]),
    ].join(', ')
  },
}

/** A unit that must not run. Throws InputError on what systemd would not take as a unit's name. */
export const masked = (unit: string): Task<MaskedState, null> => {
  if (!/^[\w:.@\\-]+\.(service|socket|timer)$/.test(unit))
    throw new InputError([{ where: `unit ${JSON.stringify(unit)}`, what: 'is not a unit’s name' }])
  return { kind: maskedKind, key: unit, desired: { masked: true, active: 'stopped' }, data: null }
}

/** The way back is the unit as it was; whether it starts at boot is not touched by a mask. */
const mask = ({ task: { key }, from }: Change<MaskedState, null>): Step => {
  const runs = from !== null && from.active !== 'stopped'
  const unit = word(key)
  return {
    title: `stop and mask ${key}`,
    run: `systemctl mask --quiet -- ${unit}${runs ? `\nsystemctl stop -- ${unit}` : ''}`,
    undo: from?.masked ? undefined : `systemctl unmask --quiet -- ${unit}`,
    restore: runs ? `systemctl start -- ${unit}` : undefined,
    interrupts: runs,
  }
}
