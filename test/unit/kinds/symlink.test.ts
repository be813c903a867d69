import { lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { symlink } from '../../../lib/kinds/symlink.ts'
import { holdsTheLaw, stepsOf } from './machine.ts'
import { sandbox } from './sandbox.ts'

describe.each(['dash', 'bash'] as const)('under %s', (shell) => {
  test('a missing link is made', () => {
    using box = sandbox(shell)
    holdsTheLaw(box, [symlink('/srv/current', '3.5.3')])
  })

  test('a link to another version is changed, and taking that back points to the old one', () => {
    using box = sandbox(shell)
    mkdirSync(box.at('/srv/3.5.2'))
    symlinkSync('3.5.2', box.at('/srv/current'))
    holdsTheLaw(box, [symlink('/srv/current', '3.5.3')])
  })

  test('a binary in its place is kept in the backup, and comes back', () => {
    using box = sandbox(shell)
    writeFileSync(box.at('/srv/prometheus'), 'binary', { mode: 0o755 })
    holdsTheLaw(box, [symlink('/srv/prometheus', '/opt/vestal/prometheus/current/prometheus')])
    const saved = box.at('/var/lib/vestal/backups/run-1/srv/prometheus')
    expect([readFileSync(saved, 'utf8'), lstatSync(saved).mode & 0o777]).toEqual(['binary', 0o755])
  })

  test('a directory in its place is refused', () => {
    using box = sandbox(shell)
    mkdirSync(box.at('/srv/current'))
    const ran = box.take(stepsOf(box.changes([symlink('/srv/current', '3.5.3')])))
    expect(ran.output).toBe('/srv/current is a directory; move it away and run again')
  })

  test.each(['-n', '--help', '- ', '--'])('a target that looks like an option, %j, is none', (target) => {
    using box = sandbox(shell)
    holdsTheLaw(box, [symlink('/srv/current', target)])
  })

  test('any target arrives unchanged', () => {
    const target = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 80 })
      .map((text) => text.replaceAll('\0', '_'))
    fc.assert(
      fc.property(fc.array(target, { minLength: 5, maxLength: 15 }), (targets) => {
        using box = sandbox(shell)
        const tasks = targets.map((one, index) => symlink(`/srv/it's ${index}`, one))
        expect(box.take(stepsOf(box.changes(tasks)))).toEqual({ code: 0, output: '' })
        expect(box.changes(tasks)).toEqual([])
        for (const [index, one] of targets.entries()) expect(readlinkSync(box.at(`/srv/it's ${index}`))).toBe(one)
      }),
      { numRuns: 3 },
    )
  }, 120_000)
})
