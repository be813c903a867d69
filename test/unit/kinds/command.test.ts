import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { command } from '../../../lib/kinds/command.ts'
import { stepsOf } from './machine.ts'
import { sandbox } from './sandbox.ts'

describe.each(['dash', 'bash'] as const)('under %s', (shell) => {
  test('a command runs where its guard says so, and not again', () => {
    using box = sandbox(shell)
    const tasks = [
      command('make a', `echo 'it''s a' >/srv/a`, { creates: '/srv/a' }),
      command('make b', 'echo b >/srv/b', { unless: 'grep -q b /srv/b; # never mind' }),
      command('never', 'exit 1', { unless: 'echo noise; true' }),
    ]
    expect(box.changes(tasks).map(({ task }) => task.key)).toEqual(['make a', 'make b'])
    expect(box.take(stepsOf(box.changes(tasks)))).toEqual({ code: 0, output: '' })
    expect(box.changes(tasks)).toEqual([])
    expect(readFileSync(box.at('/srv/b'), 'utf8')).toBe('b\n')
  })

  test('a guard that exits the shell does not end the reading of others', () => {
    using box = sandbox(shell)
    const tasks = [command('one', ':', { unless: 'exit 3' }), command('two', ':', { unless: 'exit 0' })]
    expect(box.changes(tasks).map(({ task }) => task.key)).toEqual(['one'])
  })

  test('one that does not satisfy its guard still differs', () => {
    using box = sandbox(shell)
    const task = command('make a', ':', { creates: '/srv/a' })
    box.take(stepsOf(box.changes([task])))
    expect(box.changes([task])).toHaveLength(1)
  })
})
