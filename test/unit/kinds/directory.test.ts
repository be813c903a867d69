import { existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { directory, directoryKind } from '../../../lib/kinds/directory.ts'
import type { Task } from '../../../lib/model.ts'
import { holdsTheLaw, stepsOf } from './machine.ts'
import { type Sandbox, sandbox } from './sandbox.ts'

describe.each(['dash', 'bash'] as const)('under %s', (shell) => {
  test('a missing directory is made, its parents too', () => {
    using box = sandbox(shell)
    holdsTheLaw(box, [directory('/srv/a/b', { mode: '0750', group: 'adm' })])
    expect(lstatSync(box.at('/srv/a/b')).mode & 0o777).toBe(0o750)
    expect(lstatSync(box.at('/srv/a')).mode & 0o777).toBe(0o755)
  })

  test('a wrong mode or owner is mended, its content left alone', () => {
    using box = sandbox(shell)
    mkdirSync(box.at('/srv/data'), { mode: 0o777 })
    writeFileSync(box.at('/srv/data/wal'), '')
    holdsTheLaw(box, [directory('/srv/data', { owner: 'daemon' })])
    expect(readdirSync(box.at('/srv/data'))).toEqual(['wal'])
  })

  test('behind a link of root’s, a wrong mode or owner is mended too', () => {
    using box = sandbox(shell)
    mkdirSync(box.at('/srv/disk/data'), { recursive: true, mode: 0o777 })
    symlinkSync('disk', box.at('/srv/other'))
    symlinkSync('/srv/other/data', box.at('/srv/data'))
    holdsTheLaw(box, [directory('/srv/data', { owner: 'daemon' })])
    expect(lstatSync(box.at('/srv/disk/data')).mode & 0o777).toBe(0o755)
    expect(lstatSync(box.at('/srv/data')).isSymbolicLink()).toBe(true)
  })

  test('a folder in one that its account owns is made by the account, whatever it has put on the way', () => {
    using box = sandbox(shell)
    box.sh('mkdir /srv/theirs; chown daemon:daemon /srv/theirs')
    const inner = directory('/srv/theirs/-inner', { mode: '0750', owner: 'daemon' })
    holdsTheLaw(box, [inner])
    box.sh('chmod 0700 /srv/theirs/-inner')
    holdsTheLaw(box, [inner])
    box.sh('rm -r /srv/theirs/-inner; mkdir /srv/system; chmod 0700 /srv/system; ln -s /srv/system /srv/theirs/-inner')
    expect(box.take(stepsOf(box.changes([inner])))).toMatchObject({ code: 1 })
    expect(box.sh('stat -c "%U %a" /srv/system').output).toBe('root 700')
  })

  test('what comes to stand in its place meanwhile is not given away', () => {
    using box = sandbox(shell)
    box.sh('mkdir -m 0777 /srv/data; chmod 1777 /srv; mkdir -m 0700 /srv/system')
    const steps = stepsOf(box.changes([directory('/srv/data', { owner: 'daemon' })]))
    box.sh('rmdir /srv/data; ln -s system /srv/data; chown -h daemon /srv/data')
    expect(box.take(steps)).toMatchObject({ code: 1, output: expect.stringContaining('who could lead root elsewhere') })
    expect(box.sh('stat -c "%U %a" /srv/system').output).toBe('root 700')
  })

  describe('what root will refuse is told by the reading itself', () => {
    const refusedOn = (box: Sandbox, tasks: readonly Task[]) => {
      const { stdout } = box.sh(directoryKind.probe(tasks as never))
      return [...(directoryKind.refused?.(stdout, tasks as never) ?? [])].map(([path, { why, fix }]) => [
        path,
        why,
        fix,
      ])
    }
    const data = (path: string) => directory(path, { owner: 'daemon', mode: '0750' })

    test('of a folder below one of another account, there or not yet, in the words of the refusal', () => {
      using box = sandbox(shell)
      box.sh('mkdir -p /srv/theirs/data; chown -R games:games /srv/theirs')
      const tasks = [data('/srv/theirs/data'), data('/srv/theirs/later/data'), data('/srv/ours/data')]
      expect(refusedOn(box, tasks)).toEqual(
        ['/srv/theirs/data', '/srv/theirs/later/data'].map((path) => [
          path,
          `/srv/theirs belongs to games, who could lead root elsewhere from there: root changes ${path} only where all folders on the way are its own`,
          'chown root:root /srv/theirs on the host, or name a folder below /var/lib in the role’s settings.',
        ]),
      )
      for (const task of tasks.slice(0, 2))
        expect(box.take(stepsOf(box.changes([task])))).toMatchObject({
          code: 1,
          output: expect.stringContaining('who could lead root elsewhere'),
        })
      box.sh('chown root:root /srv/theirs')
      expect(refusedOn(box, tasks)).toEqual([])
      holdsTheLaw(box, tasks)
    })

    test('of a link of another account, and behind a link of root’s', () => {
      using box = sandbox(shell)
      box.sh(
        'mkdir -p /srv/theirs/data /srv/disk/data; chown games:games /srv/theirs; ln -s theirs /srv/way; ln -s disk /srv/link',
      )
      box.sh(
        'ln -s /srv/disk/data /srv/end; chown -h games /srv/end; mkdir "/srv/two words"; chown games "/srv/two words"',
      )
      const tasks = ['/srv/way/data', '/srv/link/data', '/srv/end', '/srv/two words/data'].map(data)
      expect(refusedOn(box, tasks).map(([path, why]) => [path, why?.replace(/,.*/, '')])).toEqual([
        ['/srv/way/data', '/srv/theirs belongs to games'],
        ['/srv/end', '/srv/end belongs to games'],
        ['/srv/two words/data', '/srv/two words belongs to games'],
      ])
    })

    test('of none that the account makes by itself, or that another task makes root’s before', () => {
      using box = sandbox(shell)
      box.sh('mkdir -p /srv/theirs /srv/conf/rules; chown daemon:daemon /srv/theirs; chown -R games:games /srv/conf')
      const tasks = [data('/srv/theirs/inner'), directory('/srv/conf'), directory('/srv/conf/rules')]
      expect(refusedOn(box, tasks)).toEqual([])
      holdsTheLaw(box, tasks)
    })
  })

  test('only the allowed names stay; others are kept in the backup and come back', () => {
    using box = sandbox(shell)
    mkdirSync(box.at('/srv/rules/old'), { recursive: true })
    for (const name of ['a.yml', "it's b.yml", '.hidden', '..odd', 'line\nbreak', '*', '.c.yml.vestal-new', '$x']) {
      writeFileSync(box.at(`/srv/rules/${name}`), name)
    }
    const task = directory('/srv/rules', { only: ['a.yml', '*', 'missing.yml'] })
    expect(box.read([task]).get('directory /srv/rules')?.surplus).toBe(
      "$x, ..odd, .hidden, it's b.yml, line\nbreak, old",
    )
    holdsTheLaw(box, [task])
    expect(readdirSync(box.at('/srv/rules')).sort()).toEqual(['*', '.c.yml.vestal-new', 'a.yml'])
    expect(existsSync(box.at('/var/lib/vestal/backups/run-1/.surplus/srv/rules/old'))).toBe(true)
  })

  test('a directory within another is not surplus of the outer one by its content', () => {
    using box = sandbox(shell)
    mkdirSync(box.at('/srv/outer/inner'), { recursive: true })
    writeFileSync(box.at('/srv/outer/inner/x'), '')
    const tasks = [directory('/srv/outer', { only: ['inner'] }), directory('/srv/outer/inner', { only: ['x'] })]
    expect(box.changes(tasks)).toEqual([])
  })

  test('a symbolic link to a directory counts as one: data may live on another disk', () => {
    using box = sandbox(shell)
    mkdirSync(box.at('/srv/disk'), { mode: 0o755 })
    symlinkSync('disk', box.at('/srv/data'))
    writeFileSync(box.at('/srv/disk/surplus'), '')
    holdsTheLaw(box, [directory('/srv/data', { only: [] })])
    expect(readdirSync(box.at('/srv/disk'))).toEqual([])
    expect(lstatSync(box.at('/srv/data')).isSymbolicLink()).toBe(true)
  })

  test('a file in its place is refused and left alone', () => {
    using box = sandbox(shell)
    writeFileSync(box.at('/srv/data'), '')
    const ran = box.take(stepsOf(box.changes([directory('/srv/data')])))
    expect(ran).toEqual({ code: 1, output: 'a file is in its place; move it away and run again' })
  })

  test('one that got content meanwhile is left when its making is taken back', () => {
    using box = sandbox(shell)
    const steps = stepsOf(box.changes([directory('/srv/data')]))
    box.take(steps)
    writeFileSync(box.at('/srv/data/wal'), '')
    expect(box.undo(steps).code).toBe(0)
    expect(readdirSync(box.at('/srv/data'))).toEqual(['wal'])
  })
})
