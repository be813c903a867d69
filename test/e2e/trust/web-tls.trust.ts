/** TLS on the web servers of a fleet that serves: turned on, renewed, given another authority and turned off again, with canary alerts all the while. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readAuthority } from '../../../lib/certificates/authority.ts'
import { issueAuthority, issueServer } from '../../../lib/certificates/issue.ts'
import { ADDRESSES, deploy } from '../deploy/fleet.ts'
import { vestal } from '../vestal.ts'
import {
  certificateOn,
  exchange,
  expired,
  findings,
  inventory,
  plainly,
  plan,
  processes,
  SERVERS,
  securely,
  setTls,
  watched,
} from './fleet.ts'

beforeAll(async () => void (await deploy('-i', inventory)))

describe('TLS is turned on', () => {
  test('not without an authority: refused before any machine is touched', async () => {
    setTls(true)
    const ended = await vestal(['deploy', '-i', inventory, '--yes'])
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('vestal certificates init') })
    expect(await plainly('am-1', 9093)).toBe(200)
  })

  test('an authority is made once, its key a vault beside the inventory', async () => {
    expect(await vestal(['certificates', 'init', '-i', inventory])).toMatchObject({ code: 0 })
    expect(readFileSync(join(inventory, 'authority/1.key'), 'utf8')).toMatch(/^\$ANSIBLE_VAULT;/)
    expect(await vestal(['certificates', 'init', '-i', inventory])).toMatchObject({ code: 2 })
  })

  test('not without the password of its key: refused before any machine is touched', async () => {
    const ended = await vestal(['deploy', '-i', inventory, '--yes'], {
      env: { ANSIBLE_VAULT_PASSWORD_FILE: '/nowhere' },
    })
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('ANSIBLE_VAULT_PASSWORD_FILE') })
    expect(await plainly('am-1', 9093)).toBe(200)
  })

  test('not on a part of the fleet, whose others would not know', async () => {
    const ended = await vestal(['deploy', '-i', inventory, '--limit', 'am-1', '--yes'])
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('prom-1, prom-2') })
    expect(await plainly('am-1', 9093)).toBe(200)
  })

  test('as a plan shows, without any key', async () => {
    const { stdout } = await vestal(['plan', '-i', inventory, '--diff'])
    expect(stdout).toContain('Every Prometheus sends with TLS and without')
    expect(stdout).not.toContain('PRIVATE')
  })

  test('with no alert lost or notified twice', async () => {
    await watched('deploy')
    expect(await plan()).toMatchObject({ code: 0 })
  })

  test('on every web server: none answers in plain text, and each has a certificate of the authority', async () => {
    for (const [member, port] of SERVERS) {
      expect([member, port, await plainly(member, port)]).toEqual([member, port, 400])
      expect([member, port, await securely(member, port)]).toEqual([member, port, 200])
    }
  })

  test('and status and check are content', async () => {
    expect(await vestal(['status', '-i', inventory])).toMatchObject({ code: 0 })
    expect(await vestal(['certificates', 'status', '-i', inventory])).toMatchObject({ code: 0 })
    expect(await findings()).toEqual([])
  })
})

describe('certificates are renewed', () => {
  test('with nothing restarted, and no alert lost or notified twice', async () => {
    const [before, certificates] = [await processes(), await Promise.all(SERVERS.map(certificateOn))]
    await watched('certificates', 'renew', '--all')
    expect(await processes()).toEqual(before)
    const now = await Promise.all(SERVERS.map(certificateOn))
    expect(now.filter((one, at) => one === certificates[at])).toEqual([])
    for (const [member, port] of SERVERS) expect(await securely(member, port)).toBe(200)
  })

  test('and left alone while they last', async () => {
    const certificates = await Promise.all(SERVERS.map(certificateOn))
    expect(await vestal(['certificates', 'renew', '-i', inventory, '--yes'])).toMatchObject({ code: 0 })
    expect(await Promise.all(SERVERS.map(certificateOn))).toEqual(certificates)
  })
})

describe('a certificate that is not to be trusted', () => {
  const foreign = async () =>
    issueServer(await issueAuthority({ subject: 'foreign', ms: 86_400_000 }), {
      names: [ADDRESSES['am-2']],
      subject: 'am-2',
      ms: 86_400_000,
    })

  test.each([
    ['has expired', () => expired('am-2'), 'it expired on'],
    ['is foreign', foreign, 'it is foreign'],
  ])('%s: it is refused, check and status say why, and a deploy issues another', async (_, made, why) => {
    await exchange('am-2', 9093, await made())
    expect(await securely('am-2', 9093)).not.toBe(200)
    expect(await findings()).toContainEqual(
      expect.objectContaining({ id: 'certificate', hosts: ['am-2'], what: expect.stringContaining(why) }),
    )
    const status = await vestal(['status', '-i', inventory, '--json'])
    expect(status).toMatchObject({ code: 1, stdout: expect.stringContaining(why) })
    const shown = await vestal(['certificates', 'status', '-i', inventory])
    expect(shown).toMatchObject({ code: 1, stdout: expect.stringContaining(why) })
    const before = await processes()
    await deploy('-i', inventory)
    expect(await securely('am-2', 9093)).toBe(200)
    expect(await processes()).toEqual(before)
    expect(await findings()).toEqual([])
  })
})

describe('the authority is exchanged', () => {
  test('with nothing restarted, and no alert lost or notified twice; the old one is trusted no more', async () => {
    const [before, old] = [await processes(), readAuthority({ folder: inventory })?.bundle]
    const ended = await vestal([
      'certificates',
      'rotate-authority',
      '-i',
      inventory,
      '--watch-alerts',
      '--json',
      '--yes',
    ])
    expect(ended.code).toBe(0)
    const reports = ended.events.flatMap((event) => (event.event === 'run-ended' ? [event.report.alerts] : []))
    expect(reports.map((one) => one && { lost: one.lost, duplicated: one.duplicated })).toEqual(
      [1, 2, 3].map(() => ({ lost: 0, duplicated: 0 })),
    )
    console.log(`rotate-authority: ${JSON.stringify(reports.map((one) => ({ ...one, canaries: undefined })))}`)
    expect(await processes()).toEqual(before)
    expect(readAuthority({ folder: inventory })).toMatchObject({ issuing: '2', trusted: ['2'] })
    for (const [member, port] of SERVERS) {
      expect(await securely(member, port)).toBe(200)
      expect(await securely(member, port, old)).not.toBe(200)
    }
    expect(await plan()).toMatchObject({ code: 0 })
  })
})

describe('TLS is turned off', () => {
  test('with no alert lost or notified twice', async () => {
    setTls(false)
    await watched('deploy')
    expect(await plan()).toMatchObject({ code: 0 })
    for (const [member, port] of SERVERS)
      expect([member, port, await plainly(member, port)]).toEqual([member, port, 200])
  })
})
