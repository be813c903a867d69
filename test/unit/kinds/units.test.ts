/** Units of one sort on a machine; what systemd is asked is written down, as there is none here. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { onlyUnits, type UnitsData, type UnitsState, unitMarks, unitsKind } from '../../../lib/kinds/units.ts'
import { type Change, taskId } from '../../../lib/model.ts'
import { type Sandbox, sandbox } from './sandbox.ts'

const SYSTEMCTL = 'systemctl() { printf "%s\\n" "$*" >>/run/asked; }\n'
const plant = (name: string, marks: readonly string[]) => `mkdir -p /etc/systemd/system /etc/${name}
printf '%s\\n' '[Unit]' ${marks.map((mark) => `'${mark}'`).join(' ')} >/etc/systemd/system/${name}.service
echo secret >/etc/${name}/environment
`
const take = (box: Sandbox, scripts: readonly string[]) =>
  box.sh(`${SYSTEMCTL}${scripts.map((one) => `( set -eu\n${one}\n) || echo FAILED`).join('\n')}`).output
const asked = (box: Sandbox) => readFileSync(box.at('run/asked'), 'utf8').trim().split('\n')

test.each(['dash', 'bash'] as const)('what is not named goes, and comes back, under %s', (shell) => {
  using box = sandbox(shell)
  box.sh(
    plant('kept_exporter', unitMarks('exporter', { release: 'kept_exporter', binary: 'kept_exporter' })) +
      plant('gone_exporter', unitMarks('exporter', { release: 'kept_exporter', binary: 'kept_exporter' })) +
      plant('other', []) +
      plant('sorted', unitMarks('other')),
  )
  const task = onlyUnits('exporter', { only: ['kept_exporter'], releases: ['kept_exporter'] })
  const from = box.read([task]).get(taskId(task)) as UnitsState
  expect(from).toEqual({ surplus: 'gone_exporter', owns: 'gone_exporter kept_exporter kept_exporter ' })
  const steps = unitsKind.converge({ task, from, to: task.desired, fields: ['surplus'] } as Change<
    UnitsState,
    UnitsData
  >)
  expect(
    take(
      box,
      steps.map(({ run }) => run),
    ),
  ).toBe('')
  const there = () =>
    ['gone_exporter', 'kept_exporter', 'other', 'sorted'].map(
      (name) =>
        `${existsSync(box.at(`etc/systemd/system/${name}.service`))} ${existsSync(box.at(`etc/${name}/environment`))}`,
    )
  expect(there()).toEqual(['false false', 'true true', 'true true', 'true true'])
  expect(asked(box)).toEqual([
    'disable --now --quiet -- gone_exporter.service',
    'reset-failed -- gone_exporter.service',
    'daemon-reload',
  ])
  expect(box.changes([task])).toEqual([])
  expect(
    take(box, [
      ...steps.toReversed().flatMap(({ undo }) => undo ?? []),
      ...steps.flatMap(({ restore }) => restore ?? []),
    ]),
  ).toBe('')
  expect(there()[0]).toBe('true true')
  expect(asked(box).slice(3)).toEqual([
    'daemon-reload',
    'enable --quiet -- gone_exporter.service',
    'start -- gone_exporter.service',
  ])
})
