import { spawn } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { HostError } from '../../../lib/errors.ts'
import { release, releaseBinary, releaseKind } from '../../../lib/kinds/release.ts'
import { symlink } from '../../../lib/kinds/symlink.ts'
import { type Host, type Inventory, type Step, type Task, uploadPath } from '../../../lib/model.ts'
import { type Mirror, mirror, prometheus } from '../releases/mirror.ts'
import { stepsOf } from './machine.ts'
import { type Sandbox, sandbox } from './sandbox.ts'

let at: Mirror
beforeEach(() => {
  at = mirror()
})
afterEach(() => at[Symbol.dispose]())

const FOLDER = '/opt/vestal/prometheus/3.5.3'

const task = async (version = '3.5.3', inventory?: Inventory): Promise<Task> => {
  const machine = { arch: 'amd64', releases: at.releases, keepReleases: 1 } as const
  const link = { via: 'local', address: '', options: {}, connectTimeout: '1s' } as const
  const host: Host = { name: 'prom-1', address: 'prom-1', groups: [], vars: {}, link, machine }
  const context = { host, inventory: inventory ?? { name: 'test', folder: at.inventory, hosts: [host], roles: [] } }
  const [prepared] = (await releaseKind.prepare?.([release({ ...prometheus, version }, host)], context)) ?? []
  if (!prepared) throw new Error('not prepared')
  return prepared
}
const send = async (box: Sandbox, steps: readonly Step[]): Promise<void> => {
  for (const { upload } of steps) {
    if (!upload) continue
    mkdirSync(dirname(box.at(uploadPath(upload.sha256))), { recursive: true })
    copyFileSync((await upload.ready()).path, box.at(uploadPath(upload.sha256)))
  }
}
const install = async (box: Sandbox, version = '3.5.3'): Promise<Task> => {
  const wanted = await task(version)
  const steps = stepsOf(box.changes([wanted]))
  await send(box, steps)
  expect(box.take(steps)).toEqual({ code: 0, output: '' })
  expect(box.changes([wanted])).toEqual([])
  return wanted
}

describe.each(['dash', 'bash'] as const)('under %s', (shell) => {
  test('a release is unpacked, only its binaries, and taking that back removes it', async () => {
    at.publish(prometheus)
    using box = sandbox(shell)
    const wanted = await task()
    const steps = stepsOf(box.changes([wanted]))
    await send(box, steps)
    expect(box.take(steps)).toEqual({ code: 0, output: '' })
    expect(box.changes([wanted])).toEqual([])
    expect(readdirSync(box.at(FOLDER)).sort()).toEqual(['.vestal-release', 'prometheus', 'promtool'])
    expect(box.sh(releaseBinary('prometheus', '3.5.3', 'promtool')).output).toBe('promtool 3.5.3')
    expect(lstatSync(box.at(`${FOLDER}/prometheus`))).toMatchObject({ uid: 0, gid: 0 })
    expect(readdirSync(box.at('/var/lib/vestal/uploads'))).toEqual([])
    expect(box.undo(steps).code).toBe(0)
    expect(box.read([wanted])).toEqual(new Map())
    expect(existsSync(box.at('/opt/vestal/prometheus'))).toBe(false)
  })

  test.each<[string, (box: Sandbox) => void, string]>([
    ['edited', (box) => writeFileSync(box.at(`${FOLDER}/promtool`), 'x'), 'changed: promtool'],
    ['removed', (box) => rmSync(box.at(`${FOLDER}/promtool`)), 'changed: promtool'],
    ['made writable', (box) => chmodSync(box.at(`${FOLDER}/promtool`), 0o777), 'changed: promtool'],
    [
      'replaced by a link to itself',
      (box) => box.sh(`cd ${FOLDER}; mv promtool /srv/promtool; ln -s /srv/promtool promtool`),
      'changed: promtool',
    ],
    [
      'edited, keeping its size and time',
      (box) =>
        box.sh(`cd ${FOLDER}; touch -r promtool /srv/t; sed -i s/3.5.3/3.5.4/ promtool; touch -r /srv/t promtool`),
      'changed: promtool',
    ],
  ])('a binary that was %s is found and mended, and the others keep their file', async (_, byHand, says) => {
    at.publish(prometheus)
    using box = sandbox(shell)
    const wanted = await install(box)
    const other = lstatSync(box.at(`${FOLDER}/prometheus`)).ino
    byHand(box)
    expect(box.read([wanted]).get('release prometheus 3.5.3')?.files).toBe(says)
    await install(box)
    expect(box.sh(`${FOLDER}/promtool`).output).toBe('promtool 3.5.3')
    expect(lstatSync(box.at(`${FOLDER}/prometheus`)).ino).toBe(other)
  })

  test('a binary that was only touched is still what was unpacked', async () => {
    at.publish(prometheus)
    using box = sandbox(shell)
    const wanted = await install(box)
    box.sh(`touch ${FOLDER}/promtool`)
    expect(box.changes([wanted])).toEqual([])
  })

  test('a folder of that version made by hand is taken over', async () => {
    at.publish(prometheus)
    using box = sandbox(shell)
    box.sh(`mkdir -p ${FOLDER}; echo x >${FOLDER}/prometheus`)
    const wanted = await task()
    expect(box.read([wanted]).get('release prometheus 3.5.3')).toEqual({
      tarball: 'unknown',
      files: 'changed: prometheus, promtool',
    })
    await install(box)
  })

  test('a damaged upload leaves nothing', async () => {
    at.publish(prometheus)
    using box = sandbox(shell)
    const steps = stepsOf(box.changes([await task()]))
    await send(box, steps)
    writeFileSync(box.at(uploadPath(steps[0]?.upload?.sha256 ?? '')), 'x')
    expect(box.take(steps).output).toMatch(/^the uploaded tarball does not have the checksum [0-9a-f]{64}$/)
    expect(box.sh('find /opt /var/lib/vestal/uploads -type f').output).toBe('')
  })

  test('a full disk leaves the other versions and nothing half unpacked', async () => {
    at.publish(prometheus)
    using box = sandbox(shell)
    await install(box)
    const newer = { ...prometheus, version: '3.6.0' }
    at.publish(newer, [
      { path: 'p-3.6.0/prometheus', content: 'x'.repeat(400_000) },
      { path: 'p-3.6.0/promtool', content: 'x' },
    ])
    const steps = stepsOf(box.changes([await task('3.6.0')]))
    await send(box, steps)
    const ran = box.sh(`mkdir /srv/small; mount -t tmpfs -o size=200k none /srv/small; cp -a /opt/vestal /srv/small/
mount --bind /srv/small /opt
cat >/srv/step <<'STEP'
set -eu
${steps.map(({ run }) => run).join('\n')}
STEP
${shell} /srv/step
code=$?; ls -A /opt/vestal/prometheus; exit $code`)
    expect(ran.code).not.toBe(0)
    expect(ran.output).toMatch(/No space left on device/)
    expect(ran.stdout.toString().trim().split('\n').at(-1)).toBe('3.5.3')
  })

  test('old versions stay to a number; never the current one or one that runs is removed', async () => {
    using box = sandbox(shell)
    const versions = ['1.0.0', '1.1.0', '1.2.0', '1.3.0', '1.4.0']
    for (const version of versions) at.publish({ ...prometheus, version })
    await install(box, '1.0.0')
    box.take(stepsOf(box.changes([symlink('/opt/vestal/prometheus/current', '1.0.0')])))
    await install(box, '1.1.0')
    copyFileSync('/bin/sleep', box.at('/opt/vestal/prometheus/1.1.0/sleep'))
    const running = spawn('unshare', [
      '--mount',
      'sh',
      '-c',
      `mount --bind "$0" /opt && exec /opt/vestal/prometheus/1.1.0/sleep 60`,
      box.at('/opt'),
    ])
    try {
      await expect.poll(() => readlinkSync(`/proc/${running.pid}/exe`), { timeout: 20_000 }).toMatch(/1\.1\.0\/sleep$/)
      for (const version of ['1.2.0', '1.3.0', '1.4.0']) {
        await new Promise((done) => setTimeout(done, 20))
        await install(box, version)
      }
      expect(readdirSync(box.at('/opt/vestal/prometheus')).sort()).toEqual([
        '1.0.0',
        '1.1.0',
        '1.3.0',
        '1.4.0',
        'current',
      ])
    } finally {
      running.kill()
    }
  })

  test('what another host of the machine has switched to stays, whoever installs and takes back', async () => {
    using box = sandbox(shell)
    for (const version of ['1.0.0', '1.1.0', '1.2.0', '1.3.0']) at.publish({ ...prometheus, version })
    const folder = '/opt/vestal/prometheus'
    await install(box, '1.0.0')
    box.take(stepsOf(box.changes([symlink(`${folder}/current-b`, `${folder}/1.0.0`)])))
    await install(box, '1.1.0')
    box.take(stepsOf(box.changes([symlink(`${folder}/current`, `${folder}/1.1.0`)])))
    await install(box, '1.2.0')
    const last = stepsOf(box.changes([await task('1.3.0')]))
    await send(box, last)
    box.take(last)
    const left = () => readdirSync(box.at(folder)).sort()
    expect(left()).toEqual(['1.0.0', '1.1.0', '1.2.0', '1.3.0', 'current', 'current-b'])
    box.take(stepsOf(box.changes([symlink(`${folder}/current-b`, `${folder}/1.3.0`)])))
    expect(box.undo(last).code).toBe(0)
    expect(left()).toContain('1.3.0')
    box.take(stepsOf(box.changes([symlink(`${folder}/current-b`, `${folder}/1.1.0`)])))
    expect(box.undo(last).code).toBe(0)
    expect(left()).toEqual(['1.0.0', '1.1.0', '1.2.0', 'current', 'current-b'])
  })

  test('what a killed run left behind is in nobody’s way', async () => {
    at.publish(prometheus)
    using box = sandbox(shell)
    box.sh('mkdir -p /opt/vestal/prometheus/.3.5.3.vestal-new /opt/vestal/prometheus/.3.5.2.vestal-new/x')
    await install(box)
    expect(readdirSync(box.at('/opt/vestal/prometheus'))).toEqual(['3.5.3'])
  })
})

test('a tarball that cannot be had any more fails the host that needs it', async () => {
  at.publish(prometheus)
  await task()
  rmSync(at.cache, { recursive: true })
  renameSync(at.tarball(prometheus), `${at.tarball(prometheus)}.gone`)
  using box = sandbox()
  const [step] = stepsOf(box.changes([await task()]))
  const failure = await step?.upload?.ready().catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(HostError)
  expect(failure).toMatchObject({ host: 'prom-1', message: expect.stringContaining('there is no file') })
  expect(existsSync(at.inventory) && readFileSync(`${at.inventory}/.vestal.lock.json`, 'utf8')).toContain('3.5.3')
})

test('a name that could leave the folder is refused', () => {
  expect(() => release({ ...prometheus, version: '../x' }, { machine: {} } as Host)).toThrow(
    '"../x" is not a plain name',
  )
})
