/** A fleet of the lab that somebody else has set up, and what must be the same of it before and after it is taken over. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { parse } from 'yaml'
import { ADDRESSES, type Member } from '../deploy/fleet.ts'
import { inventoryOf } from '../deploy/inventories.ts'
import { onHost, planOf, project, reportOf, resetHost, vestal } from '../vestal.ts'

/** Hosts and logins alone, as somebody has them who has never heard of roles. Returns the file. */
export const hostsOnly = (members: readonly Member[]): string => {
  const lab = parse(readFileSync(join(project, 'inventory', 'ha', 'group_vars', 'all.yml'), 'utf8'))
  const folder = inventoryOf({
    'group_vars/all/lab.yml': { vestal: lab.vestal },
    'hosts.ini': [
      ...members.map((name) => `${name} ansible_host=${ADDRESSES[name]}`),
      '[all:vars]',
      'ansible_user=root',
      `ansible_ssh_private_key_file=${lab.ansible_ssh_private_key_file}`,
      `ansible_ssh_common_args='${lab.ansible_ssh_common_args}'`,
      '',
    ].join('\n'),
  })
  return join(folder, 'hosts.ini')
}

/** The silences in force on an Alertmanager, by their ids. */
export const silencesOn = async (name: Member): Promise<readonly string[]> => {
  const answer = await fetch(`http://${ADDRESSES[name]}:9093/api/v2/silences`, { signal: AbortSignal.timeout(10_000) })
  const all = (await answer.json()) as readonly { readonly id: string; readonly status: { readonly state: string } }[]
  return all
    .filter(({ status }) => status.state === 'active')
    .map(({ id }) => id)
    .sort()
}

/** How many samples of a series there are in these hours. */
export const samplesOf = async (name: Member, series: string): Promise<number> => {
  const answer = await fetch(
    `http://${ADDRESSES[name]}:9090/api/v1/query?query=${encodeURIComponent(`count_over_time(${series}[3h])`)}`,
    { signal: AbortSignal.timeout(10_000) },
  )
  const { data } = (await answer.json()) as { data: { result: readonly { value: readonly [number, string] }[] } }
  return Number(data.result[0]?.value[1] ?? 0)
}

/** Files and links below these folders, data apart: whose each is, its mode, and when it was written; and what runs. */
export const traces = (address: string): Promise<string> =>
  onHost(
    address,
    `find /etc /opt /usr/local /lib/systemd/system -xdev \\( -type f -o -type l \\) ! -path '*/data/*' -printf '%p %u:%g %m %s %T@ %l\\n' 2>/dev/null | sort
ps -eo pid,args | grep -E '[p]rometheus|[a]lertmanager|[e]xporter'
systemctl list-unit-files --type=service --no-legend | sort`,
  )

/** Waits until a question is answered as it should be; asked once a second, for a minute. What throws is asked again. */
export const until = async <T>(question: () => Promise<T> | T, right: (answer: T) => boolean): Promise<T> => {
  for (const end = Date.now() + 60_000; ; await sleep(1_000)) {
    const answer = await Promise.resolve()
      .then(question)
      .catch((error: unknown) => (Date.now() > end ? Promise.reject(error) : undefined))
    if (answer !== undefined && right(answer)) return answer
    if (Date.now() > end) throw new Error(`after a minute it is still ${JSON.stringify(answer)}`)
  }
}

/** A folder that is not there yet. */
export const newFolder = (): string => join(mkdtempSync(join(tmpdir(), 'vestal-adopted-')), 'fleet')

export interface Said {
  readonly hosts: Readonly<
    Record<string, readonly { readonly name: string; readonly version: string; readonly unit: string }[]>
  >
  readonly notes: readonly {
    readonly kind: string
    readonly host: string
    readonly where: string
    readonly what: string
    readonly fix?: string
  }[]
  readonly changes: readonly {
    readonly hosts: readonly string[]
    readonly program: string
    readonly what: string
    readonly why: string
  }[]
  readonly mistakes: readonly unknown[]
}

/** Adopts, and says what was said; nothing on the machines is another than before. */
export const adopt = async (given: string, out: string, members: readonly Member[]): Promise<Said> => {
  const before = await Promise.all(members.map((name) => traces(ADDRESSES[name])))
  const { code, stdout, stderr } = await vestal(['adopt', '-i', given, '--out', out, '--json'])
  expect({ code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', stdout: '' })
  expect(await Promise.all(members.map((name) => traces(ADDRESSES[name])))).toEqual(before)
  const said: Said = JSON.parse(stdout)
  expect(said.changes.filter(({ why }) => why === '')).toEqual([])
  return said
}

/** What docs/adopt.md says of what a first deploy changes: the kinds of tasks. */
const EXPLAINED = new Set(
  readFileSync(join(project, 'docs', 'adopt.md'), 'utf8')
    .split('## What a first deploy changes')
    .at(-1)
    ?.split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, kind]) => kind)),
)

/** The plan changes nothing but what its page explains, and says why of each. */
export const explained = async (out: string): Promise<void> => {
  const { batches } = planOf(await vestal(['plan', '-i', out, '--json']))
  const changes = batches.flatMap(({ hosts }) => hosts).flatMap((host) => host.changes)
  expect(changes.length).toBeGreaterThan(0)
  expect(changes.filter(({ task, why }) => why === '' || !EXPLAINED.has(task.split(' ')[0] ?? ''))).toEqual([])
}

/** Deploys under watch: nothing is lost, and nobody is told twice. */
export const takeOver = async (out: string, layout: string): Promise<void> => {
  await explained(out)
  const ended = await vestal(['deploy', '-i', out, '--watch-alerts', '--json'])
  const { alerts, stops, hosts, gates } = reportOf(ended)
  const failed = Object.entries(hosts).flatMap(([host, tasks]) =>
    Object.entries(tasks).flatMap(([task, outcome]) =>
      outcome.status === 'failed' ? [`${host}: ${task}: ${outcome.why}`] : [],
    ),
  )
  const waited = gates.filter(({ pass }) => !pass).map(({ name, host, why }) => `${host}: ${name}: ${why}`)
  console.log(`${layout}, taken over: ${JSON.stringify(alerts)}`)
  expect({ code: ended.code, stops, failed, waited }).toEqual({ code: 0, stops: [], failed: [], waited: [] })
  expect(alerts).toMatchObject({ lost: 0, duplicated: 0 })
  expect(alerts?.sent).toBeGreaterThan(10)
}

/** Takes what somebody has set up from these machines, by a script of its own, and leaves them as new ones. */
export const clearMachines = async (members: readonly Member[], script: string): Promise<void> => {
  await Promise.all(
    members.map(async (name) => {
      await onHost(ADDRESSES[name], 'sh -s', script)
      await resetHost(ADDRESSES[name])
    }),
  )
}

/** A silence of two hours, as an Alertmanager's API takes it. */
export const silenceBody = (alertname = 'Kept'): string => {
  const now = Date.now()
  return JSON.stringify({
    matchers: [{ name: 'alertname', value: alertname, isRegex: false, isEqual: true }],
    startsAt: new Date(now).toISOString(),
    endsAt: new Date(now + 7_200_000).toISOString(),
    createdBy: 'somebody',
    comment: 'kept',
  })
}

/** Makes a silence by an Alertmanager's API, and waits until the others know it. Returns its id. */
export const silenceKept = async (members: readonly Member[], alertname = 'Kept'): Promise<string> => {
  const [first] = members
  const body = silenceBody(alertname)
  const make = async (): Promise<number> => {
    const answer = await fetch(`http://${ADDRESSES[first ?? 'am-1']}:9093/api/v2/silences`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    }).catch(() => null)
    return answer?.status ?? 0
  }
  await until(make, (status) => status === 200)
  for (const name of members)
    await until(
      () => silencesOn(name),
      (found) => found.length > 0,
    )
  return (await silencesOn(first ?? 'am-1'))[0] ?? ''
}
