import fc from 'fast-check'
import { expect, inject, test } from 'vitest'
import { execLine } from '../../../lib/kinds/exec-line.ts'
import { service } from '../../../lib/kinds/service.ts'
import { unit } from '../../../lib/kinds/unit.ts'
import { stepsOf } from '../../unit/kinds/machine.ts'
import { labMachine } from './lab-machine.ts'

const AWKWARD = [
  '',
  ' ',
  '%',
  '%%n',
  '$',
  '$$',
  '${HOME}',
  '$HOME',
  ';',
  '\\;',
  '\\',
  '"',
  "'",
  'a"b',
  '\n',
  '\t',
  '\x07',
  '\x7f',
  '-',
  '@',
  '#',
  '!x',
  'é',
  '\u{1f525}',
  '\u0085',
  '*',
  '~',
  'a=b',
  '\\x41',
  '%%',
  '|',
  '<',
]

test('a process’s argument list is exactly what was asked for, whatever characters it holds', () => {
  const host = labMachine(inject('lab'))
  const argument = fc.oneof(
    fc.constantFrom(...AWKWARD),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\0', '')),
    fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll('\0', '')),
  )
  const sample = [AWKWARD, ...fc.sample(fc.array(argument, { maxLength: 8 }), { numRuns: 30, seed: 1 })]
  const tasks = sample.flatMap((args, index) => {
    const command = ['/usr/bin/python3', '-c', 'import time; time.sleep(1e6)', ...args]
    const own = unit(`vestal-argv-${index}.service`, `[Service]\nExecStart=${execLine(command)}\n`)
    return [own, service(`vestal-argv-${index}`, { command, unit: own, enabled: false })]
  })
  try {
    const script = tasks
      .filter(({ kind }) => kind.name === 'unit')
      .flatMap((task) => stepsOf(host.changes([task])).slice(0, 1))
    expect(host.take(script)).toEqual({ code: 0, output: '' })
    host.sh(`systemctl daemon-reload; systemctl start 'vestal-argv-*' $(cd /etc/systemd/system; ls -d vestal-argv-*)`)
    expect(host.changes(tasks)).toEqual([])
  } finally {
    host.sh(
      `cd /etc/systemd/system; systemctl stop $(ls -d vestal-argv-*); rm -f vestal-argv-*; systemctl daemon-reload`,
    )
  }
})
