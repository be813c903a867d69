/** Sixty teams on a lab: each is told of its own alerts, once; a namespace changes hands while its alert fires. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { clearNotifications, labNotifications } from '../../../lib/lab/receiver.ts'
import { ask, deploy } from '../deploy/fleet.ts'
import { writeFiles } from '../deploy/inventories.ts'
import { onHost, resetHost, vestal } from '../vestal.ts'
import { manyTeams, namespaceOf, ORPHAN, TEAMS, teamName, teamsOf } from './teams.ts'

const HOSTS = [11, 12, 13, 14, 15].map((last) => `10.88.0.${last}`)
const folder = manyTeams()

/** As they stand once a namespace has changed hands. */
const moved = teamsOf(TEAMS, { [teamName(1)]: ['ns-elsewhere'], [teamName(2)]: ['ns-1', 'ns-2'] })

/** How often each path was told that alerts of which namespaces fire. */
const told = (): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { path, body } of labNotifications(inject('lab').name)) {
    const { status, alerts } = body as {
      status: string
      alerts: readonly { labels: { alertname: string; namespace?: string } }[]
    }
    for (const { labels } of alerts)
      if (status === 'firing' && labels.alertname === 'Drill') {
        const key = `${path} ${labels.namespace}`
        counts[key] = (counts[key] ?? 0) + 1
      }
  }
  return counts
}
const setMetric = (value: number) =>
  Promise.all(
    HOSTS.map((address) =>
      onHost(
        address,
        `cd /var/lib/node_exporter/textfile; echo 'vestal_drill ${value}' >drill.new; mv drill.new drill.prom`,
      ),
    ),
  )
const pids = async (): Promise<readonly string[]> =>
  Promise.all(
    HOSTS.map((address) =>
      onHost(address, 'systemctl show --property=MainPID --value prometheus alertmanager node_exporter | tr "\\n" " "'),
    ),
  )
const json = async (...words: readonly string[]) => {
  const { code, stdout, stderr } = await vestal([...words, '-i', folder, '--json'])
  if (code !== 0 && code !== 3) throw new Error(`${words.join(' ')} ended with ${code}: ${stderr}${stdout}`)
  return JSON.parse(stdout)
}

describe('sixty teams, two Prometheus, three Alertmanagers', () => {
  beforeAll(async () => {
    await Promise.all(HOSTS.map(resetHost))
    await deploy('-i', folder)
    clearNotifications(inject('lab').name)
  }, 600_000)
  afterAll(() => setMetric(0))

  test('each team is told of its alert once, and the default team of one that nobody owns', async () => {
    await setMetric(1)
    const wanted = Object.fromEntries([
      ...Array.from({ length: TEAMS }, (_, at) => [`/${teamName(at)} ${namespaceOf(at)}`, 1]),
      [`/rest ${ORPHAN}`, 1],
    ])
    await expect.poll(() => Object.keys(told()).length, { timeout: 120_000, interval: 500 }).toBe(TEAMS + 1)
    // Members wait 5 s for each before them; whoever would tell a second time has done so by then.
    await sleep(30_000)
    expect(told()).toEqual(wanted)
  })

  test('what nobody owns is listed', async () => {
    const { alerts } = await json('routes', 'coverage', '--days', '0')
    expect(alerts.map(({ namespace }: { namespace: string }) => namespace)).toEqual([ORPHAN])
  })

  test('a namespace changes hands while its alert fires: said beforehand, told to the new team, nothing restarted', async () => {
    const before = await pids()
    writeFiles(folder, { 'teams/all.yml': moved })
    const { differences } = await json('routes', 'diff', '--exit-code')
    expect(differences).toEqual([
      {
        alert: {
          alertname: 'Drill',
          cluster: 'lab',
          instance: expect.any(String),
          job: 'apps',
          namespace: 'ns-1',
          severity: 'critical',
          team: 'team-1',
        },
        firing: true,
        before: ['team-1/hook'],
        after: ['team-2/hook'],
      },
    ])
    clearNotifications(inject('lab').name)
    await deploy('-i', folder)
    await expect.poll(told, { timeout: 120_000, interval: 500 }).toEqual({ '/team-2 ns-1': 1 })
    expect(await pids()).toEqual(before)
    expect(
      (await json('routes', 'diff', '--days', '0')).differences.filter(
        ({ after }: { after: string[] }) => !after.includes('team-1/hook'),
      ),
    ).toEqual([])
  })

  test('an alert that goes on firing is told once to those it escalates to, and to nobody again', async () => {
    const hook = (path: string) => ({ webhook_configs: [{ url: `http://10.88.0.1:9095/${path}` }] })
    const escalating = {
      owns: [{ namespace: 'ns-3' }],
      receivers: { hook: hook('team-3'), boss: hook('boss') },
      notify: [{ to: 'hook' }],
      escalation: { after: '30s', to: 'boss' },
    }
    writeFiles(folder, { 'teams/all.yml': { ...moved, [teamName(3)]: escalating } })
    clearNotifications(inject('lab').name)
    await deploy('-i', folder, '--silence', 'namespace="ns-5"')
    await expect.poll(told, { timeout: 240_000, interval: 500 }).toEqual({ '/boss ns-3': 1 })
    await sleep(30_000)
    expect(told()).toEqual({ '/boss ns-3': 1 })
  })

  test('a silence of a run ended with it', async () => {
    const { stdout } = await vestal(['silences', 'export', '-i', folder, '--json'])
    expect(stdout).not.toContain('ns-5')
    const silences: readonly { matchers: readonly { value: string }[]; comment: string; status: { state: string } }[] =
      await ask('am-2', 9093, '/api/v2/silences')
    expect(silences.filter(({ matchers }) => matchers.some(({ value }) => value === 'ns-5'))).toEqual([
      expect.objectContaining({
        comment: expect.stringMatching(/^vestal run .*deploy/),
        status: expect.objectContaining({ state: 'expired' }),
      }),
    ])
  })

  test('a change that fails a case touches no machine', async () => {
    writeFiles(folder, {
      'teams/wrong.test.yml': { cases: [{ alert: { namespace: 'ns-3' }, receivers: ['team-4/hook'] }] },
    })
    for (const command of ['plan', 'deploy']) {
      const { code, stderr } = await vestal([command, '-i', folder])
      expect([code, stderr]).toEqual([2, expect.stringContaining('notifies team-3/hook, not team-4/hook')])
    }
    writeFiles(folder, { 'teams/wrong.test.yml': { cases: [] } })
  })

  test('silences go out to files and come back, none twice', async () => {
    const endsAt = new Date(Date.now() + 3_600_000).toISOString()
    const comment = `by ${process.pid} at ${endsAt}`
    writeFiles(folder, {
      'silences/a.yml': JSON.stringify([{ matchers: ['namespace="nowhere"'], endsAt, createdBy: 'test', comment }]),
    })
    expect((await json('silences', 'diff')).missing).toHaveLength(1)
    expect((await json('silences', 'import')).created).toBe(1)
    await expect.poll(async () => (await json('silences', 'import')).created, { timeout: 30_000 }).toBe(0)
    expect((await json('silences', 'export')).silences).toContainEqual(
      expect.objectContaining({ matchers: ['namespace="nowhere"'], comment }),
    )
  })
})
