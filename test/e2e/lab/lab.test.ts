import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InputError } from '../../../lib/errors.ts'
import { cgroupTree } from '../../../lib/lab/cgroup.ts'
import { enterLab } from '../../../lib/lab/enter.ts'
import { atConsole } from '../../../lib/lab/host.ts'
import { describeLab, labList } from '../../../lib/lab/lab.ts'
import { accounts, labFolder } from '../../../lib/lab/places.ts'
import { labExec } from '../../../lib/lab/ssh.ts'
import { operate, outsideShell } from './outside.ts'

const lab = 'of-tests'
const exec = (host: string, command: string, user?: string) => labExec(host, command, { lab, user })
const powers = () => describeLab(lab).hosts.map(({ power }) => power)
/** What a lab may not leave behind. */
const traces = async () =>
  (await outsideShell(`ip netns; grep /${lab} /proc/self/mounts || true; ls /etc/netns`)).stdout

beforeAll(() => operate('up', lab, '2'))
afterAll(() => operate('down', lab))

describe('a lab that is up', () => {
  it('has hosts that booted without a failed unit and know their own names', async () => {
    for (const host of ['lab-1', 'lab-2'])
      expect((await exec(host, 'systemctl is-system-running; hostname')).stdout).toBe(`running\n${host}\n`)
  })

  it('gives each host an identity of its own', async () => {
    const [one, two] = [await exec('lab-1', 'cat /etc/machine-id'), await exec('lab-2', 'cat /etc/machine-id')]
    expect(one.stdout).toMatch(/^[0-9a-f]{32}\n$/)
    expect(two.stdout).not.toBe(one.stdout)
  })

  it('lets its hosts reach each other and nothing else', async () => {
    expect((await exec('lab-1', 'ping -q -c1 -W2 lab-2 && ip route')).stdout).toMatch(
      /\n10\.88\.0\.0\/24 dev eth0 .*\n$/,
    )
    expect((await exec('lab-1', 'ip route get 192.0.2.1')).code).not.toBe(0)
  })

  it('has an account with sudo, and one whose sudo asks for the password', async () => {
    expect((await exec('lab-1', 'sudo id -u', accounts.ops)).stdout).toBe('0\n')
    expect((await exec('lab-1', 'sudo -n id -u', accounts.deploy)).code).toBe(1)
    const withPassword = `echo ${accounts.password} | sudo -S -p '' id -u`
    expect((await exec('lab-1', withPassword, accounts.deploy)).stdout).toBe('0\n')
  })

  it('passes on the exit code, the output and the input of a command', async () => {
    const outcome = await labExec('lab-1', 'cat; echo aside >&2; exit 7', { lab, input: 'zwölf\n' })
    expect(outcome).toEqual({ code: 7, stdout: 'zwölf\n', stderr: 'aside\n' })
  })

  it('comes up again without touching what runs', async () => {
    const before = await exec('lab-1', 'cat /proc/sys/kernel/random/boot_id; date +%s >/root/kept')
    await operate('up', lab, '2')
    expect((await exec('lab-1', 'cat /proc/sys/kernel/random/boot_id')).stdout).toBe(before.stdout)
    expect(powers()).toEqual(['running', 'running'])
  })

  it('takes a third host beside the two', async () => {
    expect(await operate('up', lab, '3')).toEqual(['booting lab-3', 'lab-3 is up (1 of 1)'])
    expect((await exec('lab-3', 'ping -q -c1 -W2 lab-1')).code).toBe(0)
  })

  it('is listed with its hosts and their addresses', () => {
    const listed = labList().find(({ name }) => name === lab)
    expect(listed?.up).toBe(true)
    expect(listed?.hosts.map(({ name, address }) => `${name} ${address}`)).toContain('lab-2 10.88.0.12')
  })

  it('is neither taken down nor entered by way of another folder', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'vestal-lab-'))
    const kept = process.env.VESTAL_LAB_DIR
    process.env.VESTAL_LAB_DIR = elsewhere
    try {
      for (const words of [
        ['down', lab],
        ['up', lab, '1'],
      ])
        await expect(operate(...words)).rejects.toThrow(`lab '${lab}': is up, and kept in `)
      expect(() => enterLab(lab)).toThrow(`lab '${lab}': is up, and kept in `)
      expect(readdirSync(elsewhere)).toEqual([])
    } finally {
      if (kept === undefined) delete process.env.VESTAL_LAB_DIR
      else process.env.VESTAL_LAB_DIR = kept
      rmSync(elsewhere, { recursive: true })
    }
    expect(powers()).toEqual(['running', 'running', 'running'])
  })

  it('refuses to be brought up from inside a lab', async () => {
    if (!process.env.VESTAL_TEST_OUTSIDE) return
    const { labUp } = await import('../../../lib/lab/lab.ts')
    await expect(labUp({ name: 'nested', hosts: 1 })).rejects.toThrow(InputError)
    expect(existsSync(labFolder('nested'))).toBe(false)
  })
})

describe('after the box went down under it', () => {
  it('has its hosts back with their disks, though what a reboot leaves of its namespaces is only files', async () => {
    await exec('lab-1', 'echo precious >/root/data && sync')
    const forgotten = `cd /run/netns; for name in vestal-${lab}*; do ip netns delete $name; : >$name; done`
    const killed = `for kill in $(find ${cgroupTree()}/vestal-lab/${lab} -maxdepth 2 -name cgroup.kill); do echo 1 >$kill; done`
    expect((await outsideShell(`${killed}; sleep 0.2; ${forgotten}`)).code).toBe(0)
    expect(describeLab(lab)).toMatchObject({ up: false, hosts: [{ power: 'off' }, { power: 'off' }, { power: 'off' }] })
    await operate('up', lab, '1')
    expect(powers()).toEqual(['running', 'running', 'running'])
    expect((await exec('lab-1', 'cat /root/data')).stdout).toBe('precious\n')
  })

  it('says what it saw on the console when a host cannot boot', async () => {
    await atConsole(lab, 'lab-3', 'rm /sbin/init /usr/lib/systemd/systemd; kill -9 -1').catch(() => {})
    await outsideShell(`echo 1 >${cgroupTree()}/vestal-lab/${lab}/lab-3/cgroup.kill`)
    await expect(operate('up', lab, '1')).rejects.toThrow(/lab-3 went off while booting\n.+/)
  })
})

describe('a lab taken down', () => {
  it('leaves no process, namespace, mount or disk, even with a host frozen and one switched off', async () => {
    await outsideShell(`echo 1 >${cgroupTree()}/vestal-lab/${lab}/lab-1/cgroup.freeze`)
    const note = join(labFolder(lab), 'my-notes')
    writeFileSync(note, 'not made by the lab')
    expect(await operate('down', lab)).toEqual(['true'])
    expect(await traces()).not.toContain(lab)
    expect(readdirSync(labFolder(lab))).toEqual(['my-notes'])
    rmSync(labFolder(lab), { recursive: true })
    const commands = readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .map(commandLine)
    expect(commands.filter((words) => words.includes(`vestal-${lab}`) || words.includes(labFolder(lab)))).toEqual([])
  })

  it('says that there is none when asked again', async () => {
    expect(await operate('down', lab)).toEqual(['false'])
  })

  it('does not let commands in', async () => {
    expect(() => labExec('lab-1', 'true', { lab })).toThrow(
      `lab '${lab}': is not up\n  Bring it up with 'vestal lab up --name ${lab}'.`,
    )
  })
})

const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
