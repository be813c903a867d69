/** Two people deploy at once, and one of them changes their mind. */
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunEvent } from '../../../lib/engine/events.ts'
import { type Ended, onHost, reportOf, resetHost, startVestal, vestal } from '../vestal.ts'
import { deploy, failuresOf, SPARE } from './fleet.ts'
import { inventoryOf, writeFiles } from './inventories.ts'

const NOBODY = '10.88.0.250'
const settings = (groupWait: string) => ({
  alertmanager: {
    version: '0.33.1',
    config: { route: { receiver: 'nobody', group_wait: groupWait }, receivers: [{ name: 'nobody' }] },
  },
})
const hosts = (more: object) => ({
  all: { children: { alertmanager: { hosts: { spare: { ansible_host: SPARE }, ...more } } } },
})

describe('while a deploy holds a machine, waiting for a peer that is not there', () => {
  /** Its second member does not exist, so the first deploy waits for it long after it has made its changes. */
  const inventory = inventoryOf({
    'hosts.yml': hosts({ absent: { ansible_host: NOBODY } }),
    'group_vars/alertmanager.yml': settings('1s'),
  })
  const other = inventoryOf({
    'hosts.yml': hosts({ absent: { ansible_host: NOBODY } }),
    'group_vars/alertmanager.yml': settings('2s'),
  })
  const words = ['deploy', '--limit', 'spare', '--json', '-i']
  let second: Ended
  let third: Ended
  let first: Ended
  let lock = ''

  beforeAll(async () => {
    await resetHost(SPARE)
    const waiting = Promise.withResolvers<RunEvent>()
    const run = startVestal([...words, inventory], {
      onEvent: (event) => {
        if (event.event === 'gate' && event.name.includes('gossips')) waiting.resolve(event)
      },
    })
    await Promise.race([waiting.promise, run.ended])
    lock = await onHost(SPARE, 'cat /run/vestal/lock')
    second = await vestal([...words, other])
    third = await startVestal([...words, other, '--break-lock', 'spare'], {
      onEvent: (event, running) => {
        if (event.event === 'host-done') running.kill('SIGINT')
      },
    }).ended
    run.kill('SIGINT')
    first = await run.ended
  })

  test('another deploy of it is refused, naming who has it, since when and how to take it', () => {
    const { run, owner, since } = Object.fromEntries(lock.split('\n').map((line) => line.split('='))) as Record<
      string,
      string
    >
    expect(second.code).toBe(1)
    expect(failuresOf(second)).toEqual([`spare: lock: locked by ${owner} since ${since} (run ${run})`])
    expect(second.events.find((event) => event.event === 'host-failed')).toMatchObject({
      hint: 'Wait for that run to end, or take the lock with --break-lock spare.',
    })
    expect(reportOf(first).run).toBe(run)
    expect(owner).toMatch(/.+@.+/)
  })

  test('a deploy with --break-lock takes it', () => {
    expect(third.code).toBe(130)
    expect(reportOf(third).hosts.spare).toMatchObject({
      'file /etc/alertmanager/alertmanager.yml': { status: 'changed' },
      'service alertmanager': { status: 'changed' },
    })
  })

  test('Ctrl-C ends it with 130 and a report of what it had done', async () => {
    expect(first.code).toBe(130)
    expect(reportOf(first).interrupted).toBe(true)
    expect(reportOf(first).hosts.spare?.['service alertmanager']).toMatchObject({ status: 'changed' })
  })

  test('nobody has the machine then: the next deploy goes on, and it is as that one says', async () => {
    writeFiles(other, { 'hosts.yml': hosts({}), 'group_vars/alertmanager.yml': settings('3s') })
    const { events } = await deploy('-i', other)
    expect(events.find((event) => event.event === 'host-read')).toMatchObject({ facts: { lock: null } })
    expect(await onHost(SPARE, 'grep "^  group_wait" /etc/alertmanager/alertmanager.yml')).toBe('  group_wait: 3s\n')
    expect(await vestal(['plan', '-i', other, '--exit-code'])).toMatchObject({ code: 0 })
  })
})

describe('Ctrl-C in the middle of the changes', () => {
  const inventory = inventoryOf({ 'hosts.yml': hosts({}), 'group_vars/alertmanager.yml': settings('1s') })
  const interrupt = async (times: number): Promise<Ended> => {
    await resetHost(SPARE)
    let left = times
    return startVestal(['deploy', '--json', '-i', inventory], {
      onEvent: (event, run) => {
        if (event.event === 'step' && event.state === 'started' && left-- > 0) run.kill('SIGINT')
      },
    }).ended
  }

  test.each([
    { pressed: 'once', times: 1 },
    { pressed: 'twice', times: 2 },
  ])('pressed $pressed ends with 130 and leaves a machine that the next deploy makes whole', async ({ times }) => {
    const { code } = await interrupt(times)
    expect(code).toBe(130)
    await deploy('-i', inventory)
    expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({ code: 0 })
    expect(await onHost(SPARE, 'systemctl is-active alertmanager; find / -xdev -name "*.vestal-new*"')).toBe('active\n')
  })
})
