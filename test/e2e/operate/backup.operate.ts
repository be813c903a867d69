/** What members held comes back from a backup. */
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { ADDRESSES, ALERTMANAGERS, REPLICAS, wentWell } from '../deploy/fleet.ts'
import { changesOf, onHost, planOf, vestal } from '../vestal.ts'
import { fleetInventory, MEMBERS, NEWEST, standing } from './fleet.ts'

const inventory = fleetInventory(NEWEST)

beforeAll(() => standing(inventory))

describe('a backup', () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'vestal-backup-')), 'now')
  const samples = async (address: string, time: number): Promise<number> => {
    const query = new URLSearchParams({ query: 'sum(count_over_time(up[3m]))', time: String(time) })
    const answer = await fetch(`http://${address}:9090/api/v1/query?${query}`)
    const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } }
    return Number(data.result[0]?.value[1] ?? 0)
  }
  const silences = async (address: string): Promise<readonly string[]> => {
    const answer = await fetch(`http://${address}:9093/api/v2/silences`)
    return ((await answer.json()) as { comment: string; status: { state: string } }[])
      .filter(({ status }) => status.state === 'active')
      .map(({ comment }) => comment)
      .sort()
  }
  const until = async <T>(look: () => Promise<T>, wanted: T): Promise<void> =>
    expect.poll(() => look().catch(() => undefined), { timeout: 60_000, interval: 500 }).toEqual(wanted)

  test('brings back silences and samples that were wiped, and doubles nothing', async () => {
    for (const comment of ['one', 'two'])
      await onHost(
        ADDRESSES['am-1'],
        `amtool --alertmanager.url=http://127.0.0.1:9093 silence add alertname=${comment} --duration=2h --author=test --comment=${comment}`,
      )
    await until(() => silences(ADDRESSES['am-2']), ['one', 'two'])
    const now = () => Math.floor(Date.now() / 1_000)
    await expect
      .poll(() => samples(ADDRESSES['prom-1'], now()), { timeout: 120_000, interval: 1_000 })
      .toBeGreaterThan(50)
    const time = now()
    const held = await samples(ADDRESSES['prom-1'], time)
    await wentWell('backup', '--to', folder, '-i', inventory)
    expect(readdirSync(folder).sort()).toEqual([...MEMBERS].sort())

    // All are stopped before the first is wiped: a member would get its silences again from another.
    for (const command of [
      'systemctl stop prometheus alertmanager 2>/dev/null || :',
      'rm -rf /var/lib/prometheus/* /var/lib/alertmanager/*',
      'systemctl start prometheus 2>/dev/null || systemctl start alertmanager',
    ])
      for (const name of MEMBERS) await onHost(ADDRESSES[name], command)
    await until(() => silences(ADDRESSES['am-1']), [])
    await until(() => samples(ADDRESSES['prom-1'], time), 0)

    await wentWell('restore', '--from', folder, '-i', inventory)
    for (const name of ALERTMANAGERS) expect(await silences(ADDRESSES[name])).toEqual(['one', 'two'])
    // The last scrapes may have come after the moment at which the WAL was copied.
    for (const name of REPLICAS) expect(await samples(ADDRESSES[name], time)).toBeGreaterThan(0.9 * held)
    await wentWell('restore', '--from', folder, '--limit', 'am-1', '-i', inventory)
    expect(await silences(ADDRESSES['am-2'])).toEqual(['one', 'two'])
    expect(changesOf(planOf(await vestal(['plan', '-i', inventory, '--json'])))).toEqual({})
    expect(await onHost(ADDRESSES['prom-1'], 'ls -A /var/lib/prometheus | grep vestal || :')).toBe('')
  })
})
