import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InputError } from '../../../lib/errors.ts'
import {
  cable,
  changeHostKey,
  freeze,
  loss,
  netem,
  powerLoss,
  powerOff,
  powerOn,
  restoreHostKey,
  thaw,
} from '../../../lib/lab/faults.ts'
import { atConsole } from '../../../lib/lab/host.ts'
import { describeLab } from '../../../lib/lab/lab.ts'
import { labExec } from '../../../lib/lab/ssh.ts'
import { operate } from './outside.ts'

const lab = 'of-faults'
const exec = async (host: string, command: string) => (await labExec(host, command, { lab })).stdout
/** Which boot of the host this is. */
const bootId = 'cat /proc/sys/kernel/random/boot_id'
const power = (host: string) => describeLab(lab).hosts.find(({ name }) => name === host)?.power
const pingFromOne = async (count = 1) =>
  /(\d+) received/.exec(await exec('lab-1', `ping -q -c${count} -i0.002 -W1 lab-2 || true`))?.[1]

beforeAll(() => operate('up', lab, '2'))
afterAll(() => operate('down', lab))

describe('power', () => {
  it('taken away ends a host at once, and its disk is there when it comes back', async () => {
    const before = await exec('lab-2', `echo kept >/root/data; ${bootId}`)
    await powerLoss('lab-2', lab)
    expect([power('lab-1'), power('lab-2'), await pingFromOne()]).toEqual(['running', 'off', '0'])
    await powerOn('lab-2', lab)
    expect(await exec('lab-2', 'cat /root/data')).toBe('kept\n')
    expect(await exec('lab-2', bootId)).not.toBe(before)
  })

  it('taken away is silence on the wire, not refused connections, and forgets the packet filter', async () => {
    await atConsole(lab, 'lab-2', 'nft add table inet mine')
    await powerLoss('lab-2', lab)
    const connect = 'python3 -c \'import socket; socket.create_connection(("lab-2", 22), 1)\' 2>&1 || true'
    expect(await exec('lab-1', connect)).toMatch(/timed out|No route to host/)
    await powerOn('lab-2', lab)
    expect(await exec('lab-2', 'nft list tables')).toBe('')
  })

  it('switched off lets services stop in order', async () => {
    const unit = '[Service]\nExecStart=sleep infinity\nExecStop=sh -c "echo stopped >/root/stopped"\n'
    await labExec('lab-2', 'cat >/run/systemd/system/polite.service && systemctl start polite', { lab, input: unit })
    await powerOff('lab-2', lab)
    expect(power('lab-2')).toBe('off')
    await powerOn('lab-2', lab)
    expect(await exec('lab-2', 'cat /root/stopped')).toBe('stopped\n')
  })

  it('survives a reboot that the host asks for itself', async () => {
    const before = await exec('lab-2', `${bootId}; systemctl reboot`)
    const isAnew = async () => {
      const now = await exec('lab-2', `systemctl is-system-running >/dev/null && ${bootId}`)
      return now !== '' && now !== before
    }
    await expect.poll(isAnew, { timeout: 30_000, interval: 300 }).toBe(true)
  })
})

describe('a frozen host', () => {
  it('answers pings, runs nothing, and goes on where it was', async () => {
    await exec('lab-2', 'systemd-run --quiet --unit=ticks sh -c "while sleep 0.05; do date +%s%N >>/root/ticks; done"')
    const ticks = () => atConsole(lab, 'lab-2', 'wc -l </root/ticks')
    await expect.poll(ticks).not.toBe('0\n')
    await freeze('lab-2', lab)
    expect([power('lab-2'), await pingFromOne()]).toEqual(['frozen', '1'])
    const before = await ticks()
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await ticks()).toBe(before)
    await thaw('lab-2', lab)
    await expect.poll(ticks).not.toBe(before)
  })
})

describe('the link', () => {
  it('cut is seen by the host as a missing carrier, and mended as before', async () => {
    await cable('lab-2', 'down', lab)
    expect(await pingFromOne()).toBe('0')
    expect(await atConsole(lab, 'lab-2', 'cat /sys/class/net/eth0/carrier 2>/dev/null || ip link show eth0')).toMatch(
      /^0|NO-CARRIER/,
    )
    await cable('lab-2', 'up', lab)
    expect(await pingFromOne()).toBe('1')
  })

  it('loses about as many packets as asked for, and none afterwards', async () => {
    await loss('lab-2', 0.3, lab)
    const through = Number(await pingFromOne(400))
    await loss('lab-2', 0, lab)
    // 0.7 × 0.7 of 400 is 196, with a standard deviation of 10.
    expect(through).toBeGreaterThan(130)
    expect(through).toBeLessThan(260)
    expect(await pingFromOne(100)).toBe('100')
  })

  it('refuses to lose more packets than there are', async () => {
    await expect(loss('lab-2', 1.5, lab)).rejects.toThrow('loss: 1.5 is not a part of all packets, from 0 to 1')
  })

  it('is slowed down, or says that this kernel cannot', async () => {
    const outcome = await netem('lab-2', ['delay', '30ms'], lab).catch((error: unknown) => error)
    if (outcome instanceof InputError) return expect(outcome.message).toContain('without netem')
    const trip = /= ([\d.]+)\//.exec(await exec('lab-1', 'ping -q -c2 lab-2'))?.[1]
    await netem('lab-2', [], lab)
    expect(Number(trip)).toBeGreaterThanOrEqual(60)
  })
})

describe('a changed host key', () => {
  it('keeps ssh out until the known one is back', async () => {
    await changeHostKey('lab-2', lab)
    const refused = await labExec('lab-2', 'true', { lab })
    expect(refused).toMatchObject({ code: 255, stderr: expect.stringContaining('HOST IDENTIFICATION HAS CHANGED') })
    await restoreHostKey('lab-2', lab)
    expect((await labExec('lab-2', 'true', { lab })).code).toBe(0)
  })
})
