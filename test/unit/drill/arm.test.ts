/** The scripts of a fault on a machine of their own; systemctl is a stand-in that writes down what it was told. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  armScript,
  changesScript,
  faultId,
  forgetChangeScript,
  harmScript,
  healAllScript,
  healScript,
  leftScript,
  noteChangeScript,
} from '../../../lib/drill/arm.ts'
import type { MachineFault } from '../../../lib/drill/fault.ts'
import { hostWith } from '../connection/host.ts'
import { type Machine, machine, shells } from '../engine/machine.ts'

const host = { ...hostWith({ via: 'local' }), name: 'am-1' }
const fault: MachineFault = {
  kind: 'machine',
  name: "it's broken",
  host,
  harm: 'echo "$vestal_drill" >/run/vestal/harm',
  undo: 'rm -f /run/vestal/harm\n[ ! -e /run/vestal/stubborn ]',
}
const ID = faultId('20261127-220000-drill-x-1f', 0)
const STAND_IN = `
mkdir -p /etc/systemd/system && mount -t tmpfs none /etc/systemd/system
mount -t tmpfs none /usr/local/sbin
cat >/usr/local/sbin/systemctl <<'END'
#!/bin/sh
echo "$*" >>/run/vestal/told
case "$*" in *is-active*) [ -e "/etc/systemd/system/$3" ] ;; esac
END
chmod +x /usr/local/sbin/systemctl`

let its: Machine
const run = async (shell: string, script: string) => {
  const { code, stdout, stderr } = await its.run(shell, `PATH=/usr/local/sbin:$PATH\n${script}`)
  return { code, said: stdout.toString().trim(), stderr }
}
const files = async () =>
  (await run('dash', 'ls /var/lib/vestal/drill /etc/systemd/system /run/vestal/harm 2>/dev/null; :')).said

beforeEach(async () => {
  its = await machine()
  expect(await its.run('dash', STAND_IN)).toMatchObject({ code: 0 })
})
afterEach(() => its[Symbol.dispose]())

test('a fault is called by a word that can be in names of files, units and tables', () => {
  expect(ID).toMatch(/^[a-z0-9_]+$/)
})

describe.each(shells)('in %s', (shell) => {
  test('harm whose undo is not armed is not done', async () => {
    expect(await run(shell, harmScript(ID, fault))).toMatchObject({
      code: 1,
      stderr: 'its undo is not armed any more\n',
    })
    expect(await files()).not.toContain('harm')
  })

  test('an undo that is armed is a script and a timer; the harm is done; healing undoes it and leaves nothing', async () => {
    const before = await files()
    expect(await run(shell, armScript(ID, fault, 75))).toMatchObject({ code: 0 })
    expect(await run(shell, `cat /etc/systemd/system/vestal-drill-${ID}.timer`)).toMatchObject({
      said: expect.stringContaining('OnActiveSec=75'),
    })
    expect(await run(shell, leftScript)).toMatchObject({ code: 0, said: "it's broken" })
    expect(await run(shell, harmScript(ID, fault))).toMatchObject({ code: 0 })
    expect(await run(shell, 'cat /run/vestal/harm')).toMatchObject({ said: ID })
    expect(await run(shell, healScript(ID))).toMatchObject({ code: 0 })
    expect([await files(), await run(shell, leftScript)]).toEqual([before, { code: 0, said: '', stderr: '' }])
    expect(await run(shell, healScript(ID))).toMatchObject({ code: 0 })
  })

  test('harm that comes after the undo has been done is not done', async () => {
    await run(shell, armScript(ID, fault, 75))
    await run(shell, healScript(ID))
    expect(await run(shell, harmScript(ID, fault))).toMatchObject({ code: 1 })
  })

  test('the service that tries again is stopped by whoever else undoes it, never by itself, and leaves no failed unit', async () => {
    const told = async () => (await run(shell, 'cat /run/vestal/told; : >/run/vestal/told')).said.split('\n')
    const stop = `stop vestal-drill-${ID}.service`
    await run(shell, armScript(ID, fault, 75))
    const [, byItself = ''] =
      /^ExecStart=(.*)$/m.exec((await run(shell, `cat /etc/systemd/system/vestal-drill-${ID}.service`)).said) ?? []
    await told()
    expect(await run(shell, byItself)).toMatchObject({ code: 0 })
    const itself = await told()
    expect(itself).not.toContain(stop)
    expect(itself).toContain(`reset-failed vestal-drill-${ID}.service`)
    await run(shell, armScript(ID, fault, 75))
    await told()
    expect(await run(shell, healScript(ID))).toMatchObject({ code: 0 })
    expect(await told()).toContain(stop)
  })

  test('a change of the fleet is known until it is forgotten: healing what the machine can heal leaves it', async () => {
    const before = await files()
    const other = faultId('20261127-220000-drill-x-1f', 1)
    expect(await run(shell, noteChangeScript(ID, { name: "am-3's away" }))).toMatchObject({ code: 0 })
    await run(shell, noteChangeScript(other, { name: 'a roll' }))
    await run(shell, armScript(ID, fault, 75))
    expect((await run(shell, leftScript)).said.split('\n')).toEqual(["it's broken", "am-3's away", 'a roll'])
    expect(await run(shell, healAllScript)).toMatchObject({ code: 0, said: "it's broken" })
    await run(shell, forgetChangeScript(ID))
    expect(await run(shell, changesScript)).toMatchObject({ code: 0, said: 'a roll' })
    await run(shell, forgetChangeScript())
    expect([await run(shell, leftScript), await files()]).toEqual([{ code: 0, said: '', stderr: '' }, before])
    expect(await run(shell, forgetChangeScript())).toMatchObject({ code: 0 })
  })

  test('what could not be undone stays armed, and the next try undoes it', async () => {
    await run(shell, armScript(ID, fault, 75))
    await run(shell, `${harmScript(ID, fault)}; : >/run/vestal/stubborn`)
    expect(await run(shell, healAllScript)).toMatchObject({ code: 1, said: '' })
    expect(await run(shell, leftScript)).toMatchObject({ said: "it's broken" })
    await run(shell, 'rm /run/vestal/stubborn')
    expect(await run(shell, healAllScript)).toMatchObject({ code: 0, said: "it's broken" })
    expect(await run(shell, leftScript)).toMatchObject({ said: '' })
  })
})
