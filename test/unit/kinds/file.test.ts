import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { directory } from '../../../lib/kinds/directory.ts'
import { absent, file } from '../../../lib/kinds/file.ts'
import { symlink } from '../../../lib/kinds/symlink.ts'
import { Sealed, Secret } from '../../../lib/secret.ts'
import { holdsTheLaw, stepsOf } from './machine.ts'
import { sandbox } from './sandbox.ts'

const PATH = '/srv/prometheus.yml'

describe.each(['dash', 'bash'] as const)('under %s', (shell) => {
  test('a missing file is created, and taking that back removes it', () => {
    using box = sandbox(shell)
    holdsTheLaw(box, [file(PATH, 'global: {}\n', { mode: '0640', group: 'adm' })])
    expect(readFileSync(box.at(PATH), 'utf8')).toBe('global: {}\n')
  })

  test('a changed file is replaced, and taking that back restores content, mode and time', () => {
    using box = sandbox(shell)
    writeFileSync(box.at(PATH), 'by hand\n', { mode: 0o600 })
    box.sh(`touch -d '2020-01-02 03:04:05' ${PATH} /srv`)
    const steps = stepsOf(box.changes([file(PATH, 'ours\n')]))
    expect(box.take(steps).code).toBe(0)
    expect(readFileSync(box.at(PATH), 'utf8')).toBe('ours\n')
    expect(box.undo(steps).code).toBe(0)
    expect(readFileSync(box.at(PATH), 'utf8')).toBe('by hand\n')
    expect(lstatSync(box.at(PATH)).mode & 0o777).toBe(0o600)
    expect(lstatSync(box.at(PATH)).mtime).toEqual(lstatSync(box.at('/srv')).mtime)
  })

  test('what was replaced is kept in a folder of the run that only root enters', () => {
    using box = sandbox(shell)
    writeFileSync(box.at(PATH), 'by hand\n')
    box.take(stepsOf(box.changes([file(PATH, 'ours\n')])))
    expect(readFileSync(box.at(`/var/lib/vestal/backups/run-1${PATH}`), 'utf8')).toBe('by hand\n')
    expect(lstatSync(box.at('/var/lib/vestal/backups/run-1')).mode & 0o777).toBe(0o700)
  })

  test('backups of the last ten runs are kept', () => {
    using box = sandbox(shell)
    for (let run = 0; run < 12; run += 1) {
      box.sh(
        `mkdir -p /var/lib/vestal/backups/old-${run}; touch -d '${20 - run} minutes ago' /var/lib/vestal/backups/old-${run}`,
      )
    }
    box.take(stepsOf(box.changes([file(PATH, 'ours\n')])))
    expect(box.sh('ls /var/lib/vestal/backups').output.split('\n').sort()).toEqual(
      ['run-1', ...[3, 4, 5, 6, 7, 8, 9, 10, 11].map((run) => `old-${run}`)].sort(),
    )
  })

  test('backups older than thirty days go: they may hold secrets that were changed since', () => {
    using box = sandbox(shell)
    for (const [name, days] of [
      ['young', 29],
      ['old', 32],
    ])
      box.sh(`mkdir -p /var/lib/vestal/backups/${name}; touch -d '${days} days ago' /var/lib/vestal/backups/${name}`)
    box.take(stepsOf(box.changes([file(PATH, 'ours\n')])))
    expect(box.sh('ls /var/lib/vestal/backups').output.split('\n').sort()).toEqual(['run-1', 'young'])
  })

  test('a link that has taken the place of a file is not followed where only its mode is to be set', () => {
    using box = sandbox(shell)
    writeFileSync(box.at(PATH), 'ours\n')
    writeFileSync(box.at('/srv/victim'), 'theirs\n', { mode: 0o600 })
    chmodSync(box.at(PATH), 0o600)
    const steps = stepsOf(box.changes([file(PATH, 'ours\n', { mode: '0644' })]))
    box.sh(`rm ${PATH}; ln -s victim ${PATH}`)
    expect(box.take(steps)).toMatchObject({ code: 1 })
    expect(lstatSync(box.at('/srv/victim')).mode & 0o777).toBe(0o600)
  })

  test('nothing is written, removed or given away below a folder that another account owns', () => {
    using box = sandbox(shell)
    box.sh('mkdir -p /srv/theirs/inside; echo old >/srv/theirs/inside/a; chown nobody /srv/theirs')
    const before = box.sh('ls -lR /srv').output
    for (const task of [
      file('/srv/theirs/inside/a', 'ours\n'),
      file('/srv/theirs/inside/a', 'old\n', { mode: '0600', owner: 'nobody', group: 'nogroup' }),
      absent('/srv/theirs/inside/a'),
      symlink('/srv/theirs/inside/b', '/etc'),
      directory('/srv/theirs/more/inside'),
      directory('/srv/theirs', { owner: 'nobody', group: 'root', only: [] }),
    ]) {
      const { code, output } = box.take(stepsOf(box.changes([task])))
      expect([code, output]).toEqual([
        1,
        expect.stringMatching(/^\/srv\/theirs belongs to user \d+, who could lead root/),
      ])
    }
    expect(box.sh('ls -lR /srv').output).toBe(before)
  })

  test('a rejected file leaves the old one in force, nothing beside it, and the tool’s own words', () => {
    using box = sandbox(shell)
    writeFileSync(box.at(PATH), 'good\n')
    box.sh(`touch -d '2020-01-02 03:04:05' /srv`)
    const before = lstatSync(box.at('/srv')).mtime
    const task = file(PATH, 'bad\n', { validate: 'if grep -q bad "$1"; then echo "line 1: bad"; false; fi' })
    const steps = stepsOf(box.changes([task]))
    expect(box.take(steps)).toEqual({ code: 1, output: 'line 1: bad' })
    expect(readFileSync(box.at(PATH), 'utf8')).toBe('good\n')
    expect(box.sh('ls -A /srv').output).toBe('prometheus.yml')
    expect(lstatSync(box.at('/srv')).mtime).toEqual(before)
    expect(box.undo(steps).code).toBe(0)
    expect(readFileSync(box.at(PATH), 'utf8')).toBe('good\n')
  })

  test('a wrong mode or owner is mended without writing the file again', () => {
    using box = sandbox(shell)
    writeFileSync(box.at(PATH), 'ours\n', { mode: 0o600 })
    chmodSync(box.at(PATH), 0o604)
    const inode = lstatSync(box.at(PATH)).ino
    holdsTheLaw(box, [file(PATH, 'ours\n', { owner: 'daemon' })])
    expect(lstatSync(box.at(PATH)).ino).toBe(inode)
  })

  test('a secret is never readable by others, not even while it is written', () => {
    using box = sandbox(shell)
    const task = file(PATH, new Sealed(['password: ', new Secret('hunter2')]), {
      mode: '0640',
      validate: `stat -c '%a %U' "$1" >/srv/seen`,
    })
    const [step] = stepsOf(box.changes([task]))
    expect(step?.run).not.toContain('hunter2')
    expect(box.take(step ? [step] : []).code).toBe(0)
    expect(readFileSync(box.at('/srv/seen'), 'utf8')).toBe('640 root\n')
    expect(readFileSync(box.at(PATH), 'utf8')).toBe('password: hunter2')
  })

  test('a symbolic link in its place is replaced, not followed', () => {
    using box = sandbox(shell)
    writeFileSync(box.at('/srv/other'), 'other\n')
    symlinkSync('other', box.at(PATH))
    holdsTheLaw(box, [file(PATH, 'other\n')])
    expect(lstatSync(box.at(PATH)).isFile()).toBe(true)
    expect(readFileSync(box.at('/srv/other'), 'utf8')).toBe('other\n')
  })

  test('a link laid where the new file is written is not followed either', () => {
    using box = sandbox(shell)
    writeFileSync(box.at('/srv/victim'), 'safe\n')
    symlinkSync('victim', box.at('/srv/.prometheus.yml.vestal-new'))
    expect(box.take(stepsOf(box.changes([file(PATH, 'ours\n')]))).code).toBe(0)
    expect(readFileSync(box.at('/srv/victim'), 'utf8')).toBe('safe\n')
  })

  test('a directory in its place is refused and left alone', () => {
    using box = sandbox(shell)
    mkdirSync(box.at(PATH))
    const ran = box.take(stepsOf(box.changes([file(PATH, 'ours\n')])))
    expect(ran).toEqual({ code: 1, output: '/srv/prometheus.yml is a directory; move it away and run again' })
    expect(lstatSync(box.at(PATH)).isDirectory()).toBe(true)
  })

  test('a missing folder is named', () => {
    using box = sandbox(shell)
    expect(box.take(stepsOf(box.changes([file('/srv/no/x', '')]))).output).toBe('its folder /srv/no does not exist')
  })

  test('a pipe in its place neither blocks the reading nor stays', () => {
    using box = sandbox(shell)
    box.sh(`mkfifo ${PATH}`)
    holdsTheLaw(box, [file(PATH, 'ours\n')])
  })

  test('what must be absent is moved away, and back again', () => {
    using box = sandbox(shell)
    mkdirSync(box.at('/srv/conf.d'))
    writeFileSync(box.at('/srv/conf.d/a'), 'a\n')
    holdsTheLaw(box, [absent('/srv/conf.d')])
    expect(existsSync(box.at('/srv/conf.d'))).toBe(false)
    expect(readFileSync(box.at('/var/lib/vestal/backups/run-1/srv/conf.d/a'), 'utf8')).toBe('a\n')
  })

  test('any name and content arrives unchanged', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
      .map((text) => text.replaceAll(/[/\0]/g, '_'))
      .filter((text) => text !== '.' && text !== '..' && Buffer.byteLength(text) < 200)
    const awkward = fc.constantFrom(
      `a'b`,
      'a"b',
      '$HOME',
      '`id`',
      'a\nb',
      ' a ',
      '-n',
      '*',
      'é\u{1f525}',
      '\\',
      '#',
      '!x',
      '~',
    )
    const named = fc.tuple(fc.oneof(name, awkward), fc.uint8Array({ maxLength: 300 }))
    fc.assert(
      fc.property(fc.uniqueArray(named, { minLength: 8, maxLength: 25, selector: ([one]) => one }), (all) => {
        using box = sandbox(shell)
        const tasks = all.map(([one, content]) => file(`/srv/${one}`, content))
        expect(box.take(stepsOf(box.changes(tasks)))).toEqual({ code: 0, output: '' })
        expect(box.changes(tasks)).toEqual([])
        for (const [one, content] of all) expect(readFileSync(box.at(`/srv/${one}`))).toEqual(Buffer.from(content))
      }),
      { numRuns: 4 },
    )
  }, 120_000)

  test('a change among two thousand files is found', () => {
    using box = sandbox(shell)
    const tasks = Array.from({ length: 2_000 }, (_, index) => file(`/srv/rule-${index}.yml`, `groups: [${index}]\n`))
    for (const [index, task] of tasks.entries()) writeFileSync(box.at(task.key), `groups: [${index}]\n`)
    expect(box.changes(tasks)).toEqual([])
    writeFileSync(box.at('/srv/rule-1999.yml'), 'by hand\n')
    expect(box.changes(tasks).map(({ task }) => task.key)).toEqual(['/srv/rule-1999.yml'])
  })
})

test.each([
  ['a relative path', () => file('etc/x', ''), 'path "etc/x": is not absolute\n  Start it with “/”.'],
  [
    'a mode in letters',
    () => file('/x', '', { mode: 'u+x' }),
    'mode "u+x": is not three or four octal digits\n  For example “0644”.',
  ],
  [
    'more than can be sent',
    () => file('/x', new Uint8Array(8 * 1024 * 1024 + 1)),
    'file /x: its content is 8388609 bytes long; at most 8388608 (8 MiB) can be sent\n  Split it, or deliver it as a release.',
  ],
])('%s is refused', (_, build, message) => {
  expect(build).toThrow(message)
})
