import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import type { RunEvent } from '../../../lib/engine/events.ts'
import { lockFunctions, takeLock } from '../../../lib/engine/lock.ts'
import { powerLoss, powerOn } from '../../../lib/lab/faults.ts'
import { atConsole } from '../../../lib/lab/host.ts'
import { fleetOf, inventoryOf } from '../failure/fleet.ts'
import { standing } from '../failure/state.ts'
import { type Ended, onHost, type Running, reportOf, resetHost, startVestal, vestal } from '../vestal.ts'
import { hold, letGo } from './hold.ts'
import { leftovers } from './leftovers.ts'

const fleet = fleetOf(0)
const lab = inject('lab').name
const { name: host, address } = fleet.node
const outside = process.env.VESTAL_TEST_OUTSIDE

/** Deploys to `node` alone, and does something once when this step begins. Returns how the run ended. */
const disturbed = async (title: string, disturb: (running: Running) => Promise<unknown> | unknown): Promise<Ended> => {
  let done: unknown
  const running = startVestal(['deploy', '-i', inventoryOf(fleet), '--limit', 'node', '--json'], {
    onEvent(event, running) {
      if (isBegun(event, title)) done ??= Promise.resolve(disturb(running))
    },
  })
  const ended = await running.ended
  expect(done, `${ended.stdout}${ended.stderr}`).toBeDefined()
  await done
  return ended
}
const isBegun = (event: RunEvent, title: string): boolean =>
  event.event === 'step' && event.title === title && event.state === 'started'

const INSTALL = 'install node_exporter 1.5.0'
const START = 'start node_exporter.service'

/** A service of the test's own that takes two seconds to stop, and runs. */
const SLOW = 'vestal-test-slow'
const SLOW_TO_STOP = `cat >/run/systemd/system/${SLOW}.service <<'END'
[Service]
ExecStart=/bin/sleep infinity
ExecStop=/bin/sleep 2
END
rm -f /run/${SLOW}.said
systemctl daemon-reload
systemctl start ${SLOW}`

/** Expects the next run to do all that is left, on `node`, and to leave nothing over. */
const convergesNow = async (): Promise<void> => {
  await letGo(address)
  const words = ['-i', inventoryOf(fleet), '--limit', 'node']
  const again = await vestal(['deploy', ...words])
  expect(again, again.stdout + again.stderr).toMatchObject({ code: 0 })
  expect(await vestal(['plan', '--exit-code', ...words])).toMatchObject({ code: 0 })
  expect(await onHost(address, 'sh -s', leftovers)).toBe('')
}

describe('a deploy that is interrupted', () => {
  it('finishes what is under way at the first Ctrl-C, starts nothing new, and says so', async () => {
    await standing(fleet)
    const inventory = inventoryOf(fleet, { all: { node_exporter: { log_level: 'warn' } } })
    await hold(fleet.monitor.address, 'systemctl', '*restart*node_exporter*')
    let released: Promise<string> | undefined
    const interrupted = await startVestal(['deploy', '-i', inventory, '--json'], {
      onEvent(event, { kill }) {
        if (isBegun(event, 'restart node_exporter.service')) kill('SIGINT')
        if (event.event === 'interrupted') released ??= letGo(fleet.monitor.address)
      },
    }).ended
    await released
    const { hosts, interrupted: said } = reportOf(interrupted)
    expect(hosts.monitor?.['service node_exporter']).toMatchObject({ status: 'changed' })
    expect(hosts.node?.['service node_exporter']).toEqual({ status: 'skipped', because: 'the run was interrupted' })
    expect([interrupted.code, said]).toEqual([130, true])
    for (const { address } of [fleet.monitor, fleet.node]) expect(await onHost(address, 'sh -s', leftovers)).toBe('')

    const again = reportOf(await vestal(['deploy', '-i', inventory, '--json'])).hosts
    expect(again.monitor?.['service node_exporter']).toEqual({ status: 'same' })
    expect(again.node?.['service node_exporter']).toMatchObject({ status: 'changed' })
  })

  describe('on a machine that had nothing before', () => {
    beforeEach(() => resetHost(address))
    afterEach(() => letGo(address))

    it('is abandoned at the second Ctrl-C, and made good by the next', async () => {
      await hold(address, 'tar')
      const ended = await startVestal(['deploy', '-i', inventoryOf(fleet), '--limit', 'node', '--json'], {
        onEvent(event, { kill }) {
          if (isBegun(event, INSTALL) || event.event === 'interrupted') kill('SIGINT')
        },
      }).ended
      expect(ended.code).toBe(130)
      expect(ended.events.filter((event) => isBegun(event, START))).toEqual([])
      await convergesNow()
    })

    it('fails when its script is killed on the host, and is made good by the next', async () => {
      await hold(address, 'tar')
      const { code, stdout } = await disturbed(INSTALL, () => atConsole(lab, host, KILL_SCRIPT))
      expect(stdout).toContain('the script ended before its end, in “install node_exporter 1.5.0”')
      expect(stdout).toContain('Run again: what is already right will be left alone.')
      expect(code).toBe(1)
      await convergesNow()
    })

    it('fails when its SSH session is killed on the host, and is made good by the next, which waits for its script', async () => {
      await hold(address, 'systemctl', '*restart*node_exporter*')
      const { code, stdout, events } = await disturbed(START, () => atConsole(lab, host, KILL_SESSION))
      expect(stdout).toContain('the link was lost while a script ran')
      expect(stdout).toContain('It is not known how far the script got. Run again')
      expect(code).toBe(1)
      const run = events.find((event) => event.event === 'run-started')?.run

      const status = JSON.parse(
        (await vestal(['status', '-i', inventoryOf(fleet), '--limit', 'node', '--json'])).stdout,
      )
      expect(status.notes).toContainEqual(expect.stringMatching(`^node is being changed by .* \\(run ${run}\\)$`))
      // Both read the host while that script is at work, and it goes on when both have said so.
      const deploys = Promise.withResolvers<void>()
      const plans = Promise.withResolvers<void>()
      const words = ['-i', inventoryOf(fleet), '--limit', 'node']
      const deploy = startVestal(['deploy', ...words, '--json'], {
        onEvent: (event) => event.event === 'host-locked' && deploys.resolve(),
      })
      const plan = startVestal(['plan', ...words], {
        onStderr: (said) => said.includes('waiting for it to end') && plans.resolve(),
      })
      await Promise.race([Promise.all([deploys.promise, plans.promise]), deploy.ended, plan.ended])
      await letGo(address)
      const [deployed, planned] = await Promise.all([deploy.ended, plan.ended])
      expect(deployed, deployed.stdout + deployed.stderr).toMatchObject({ code: 0 })
      expect(deployed.events).toContainEqual(
        expect.objectContaining({ event: 'host-locked', host: 'node', lock: expect.objectContaining({ run }) }),
      )
      expect(planned).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(
          `^node: locked by \\S+ since \\S+Z \\(run ${run}\\), whose script is at work there`,
        ),
      })
      await convergesNow()
    })

    it('fails when the host loses its power, and is made good by the next', async () => {
      await hold(address, 'tar')
      const { code, stdout } = await disturbed(INSTALL, async () => {
        await powerLoss(host, lab)
        await powerOn(host, lab)
      })
      expect(stdout).toContain('the link was lost while a script ran')
      expect(code).toBe(1)
      await convergesNow()
    })

    it('keeps others out while it goes on, names itself, and can be overruled by name', async () => {
      await hold(address, 'tar')
      let released: Promise<string> | undefined
      const first = startVestal(['deploy', '-i', inventoryOf(fleet), '--limit', 'node', '--json'], {
        onEvent(event, { kill }) {
          if (!isBegun(event, INSTALL)) return
          kill('SIGSTOP')
          released ??= letGo(address)
        },
      })
      try {
        // The script on the host goes to its end by itself; the lock is the session's.
        await expect
          .poll(() => onHost(address, 'sh -s', leftovers), { timeout: 60_000 })
          .toMatch(/^the lock is held by.*\n$/)
        const words = ['-i', inventoryOf(fleet, { all: { node_exporter: { log_level: 'warn' } } }), '--limit', 'node']
        const second = await vestal(['deploy', ...words])
        expect(second.stdout).toMatch(
          /failed node: lock: locked by \S+@\S+ since \S+Z \(run \d{8}-\d{6}-deploy-[0-9a-f]{4}\)\n {2}Wait for that run to end, or take the lock with --break-lock node\./,
        )
        expect(second.code).toBe(1)
        const check = await vestal(['check', ...words, '--json'])
        expect(JSON.parse(check.stdout).findings).toContainEqual(
          expect.objectContaining({ id: 'locked', hosts: ['node'], what: expect.stringMatching(/^locked by /) }),
        )
        const third = await vestal(['deploy', ...words, '--break-lock', 'node'])
        expect(third, third.stdout).toMatchObject({ code: 0 })
      } finally {
        first.kill('SIGKILL')
        await first.ended
        await released
      }
      await convergesNow()
    })

    it('is ended where its lock is broken, and what it had asked of systemd is waited for', async () => {
      const lock = {
        run: 'run-1',
        command: 'command-1',
        owner: 'ann@desk',
        since: '2026-01-01T00:00:00Z',
        break: false,
      }
      await onHost(address, 'sh -eu -s', SLOW_TO_STOP)
      // Its session stays, as that of a controller which lives.
      const script = `${lockFunctions}\n${takeLock(lock)}\nsystemctl restart ${SLOW}; echo it went on >/run/${SLOW}.said`
      const first = onHost(address, 'sh -s', script).catch(() => undefined)
      await expect.poll(() => onHost(address, `systemctl show -P ActiveState ${SLOW}`)).toBe('deactivating\n')
      const breaks = `${lockFunctions}\n${takeLock({ ...lock, run: 'run-2', break: true })}
systemctl show -P ActiveState ${SLOW}; grep ^run= /run/vestal/lock; cat /run/${SLOW}.said 2>/dev/null || :`
      expect(await onHost(address, 'sh -s', breaks)).toBe('active\nrun=run-2\n')
      await first
      await onHost(
        address,
        `systemctl stop --no-block ${SLOW}; systemctl kill -s KILL ${SLOW}; rm -f /run/systemd/system/${SLOW}.service`,
      )
    })

    it.runIf(outside)(
      'ends with the command that the operator started, though another works inside the lab',
      async () => {
        const inventory = inventoryOf(fleet)
        const { code } = await startVestal(['deploy', '-i', inventory, '--limit', 'node', '--json'], {
          through: ['nsenter', `--target=${outside}`, '--net', '--mount', '--'],
          onEvent(event, { kill }) {
            if (isBegun(event, INSTALL)) kill('SIGKILL')
          },
        }).ended
        expect(code).toBeNull()
        await expect.poll(() => commandLines().filter((words) => words.includes(inventory))).toEqual([])
        await convergesNow()
      },
    )
  })
})

/** Kills the deploy's script: its shell, that of the step, and what the step has started. */
const KILL_SCRIPT = `found=yes
while [ "$found" ]; do
  found=
  for process in /proc/[0-9]*; do
    if grep -qs '[v]estal-ready' "$process/cmdline" || grep -qsz '^VESTAL_RUN=' "$process/environ"; then
      found=yes
      kill -9 "\${process#/proc/}" || :
    fi
  done
done`
const KILL_SESSION = `kill -9 $(sed -n 's/^session=\\([0-9]*\\) .*/\\1/p' /run/vestal/lock)`

const commandLines = (): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return ''
      }
    })
