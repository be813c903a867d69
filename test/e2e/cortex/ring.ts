/** A ring of Cortex Alertmanagers in the lab, as the example inventory has it, and what its tenants are told. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { objectStore } from '../../../lib/lab/object-store.ts'
import { hostAddress, labFolder } from '../../../lib/lab/places.ts'
import { labNotifications } from '../../../lib/lab/receiver.ts'
import { tenantHash } from '../../../roles/cortex-alertmanager/ring/hash.ts'
import { replicasOf, ringOf } from '../../../roles/cortex-alertmanager/ring/ring.ts'
import { testLab } from '../lab-setup.ts'
import { type Ended, onHost, project, vestal } from '../vestal.ts'

export const PORT = 9009

/** `inventory/cortex` in a folder of its own, with this many instances on the lab's first hosts, further settings, and tenants made by a module. */
export const ringInventory = (instances: number, settings: object = {}): string => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-ring-'))
  cpSync(join(project, 'inventory/cortex'), folder, { recursive: true })
  rmSync(join(folder, 'tenants'), { recursive: true })
  rmSync(join(folder, 'group_vars/prometheus.yml'))
  mkdirSync(join(folder, 'tenants'))
  const hosts = Object.fromEntries(
    Array.from({ length: instances }, (_, at) => [`ring-${at + 1}`, { ansible_host: hostAddress(at + 1) }]),
  )
  writeFileSync(join(folder, 'hosts.yml'), stringify({ all: { children: { cortex_alertmanager: { hosts } } } }))
  // Of what is counted here, the tenant of canary alerts would be one more.
  configure(folder, { settle: '10s', tenants: {}, canary: { enabled: false }, ...settings })
  return folder
}

/** Changes settings of the ring. */
export const configure = (inventory: string, settings: object): void => {
  const file = join(inventory, 'group_vars/cortex_alertmanager.yml')
  const { cortex_alertmanager: before } = parse(readFileSync(file, 'utf8'))
  writeFileSync(file, stringify({ cortex_alertmanager: { ...before, ...settings } }))
}

/** Writes tenants `t-1` to `t-N`, each of whose alerts goes to a path of its own of the lab's receiver, once. */
export const writeTenants = (inventory: string, count: number, groupWait = '1s'): void =>
  writeFileSync(
    join(inventory, 'tenants/many.mjs'),
    `export default Object.fromEntries(Array.from({ length: ${count} }, (_, at) => [\`t-\${at + 1}\`, {
  route: { receiver: 'hook', group_by: ['alertname'], group_wait: '${groupWait}', group_interval: '5m', repeat_interval: '4h' },
  receivers: [{ name: 'hook', webhook_configs: [{ url: \`http://10.88.0.1:9095/t-\${at + 1}\`, send_resolved: false }] }],
}]))\n`,
  )

/** Runs a command on an inventory, without asking. Throws an Error with its words unless it exits as expected. */
export const on = async (inventory: string, words: readonly string[], expected = 0): Promise<Ended> => {
  const [first = '', ...rest] = words
  const ended = await vestal([first, ...rest, '-i', inventory])
  if (ended.code !== expected)
    throw new Error(`vestal ${words.join(' ')} ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`)
  return ended
}
export const deploy = (inventory: string): Promise<Ended> => on(inventory, ['deploy', '-y', '--no-watch-alerts'])

/** Nothing of an earlier ring is in the object store. */
export const emptyStore = async (): Promise<void> => {
  const bucket = join(labFolder(testLab), 'object-store', objectStore.bucket)
  rmSync(bucket, { recursive: true, force: true })
  mkdirSync(bucket, { recursive: true })
  // It looks at its folders every second.
  await sleep(2_000)
}

export const apiOf = (instance: number): string => `http://${hostAddress(instance)}:${PORT}`

/** Asks one instance for a tenant. */
export const asTenant = (
  instance: number,
  tenant: string,
  path: string,
  { method = 'GET', body }: { readonly method?: string; readonly body?: unknown } = {},
): Promise<Response> =>
  fetch(`${apiOf(instance)}/alertmanager${path}`, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: { 'X-Scope-OrgID': tenant, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(5_000),
  })

/** The instances that have a tenant, and those that have not, by the ring that the first instance shows. */
export const ownersOf = async (tenant: string): Promise<{ owners: readonly number[]; others: readonly number[] }> => {
  const answer = await fetch(`${apiOf(1)}/multitenant_alertmanager/ring`, { headers: { accept: 'application/json' } })
  const { shards } = (await answer.json()) as { shards: { id: string; tokens: number[] }[] }
  const ring = ringOf(shards, { replicationFactor: 3, zoneAware: false })
  const numbers = shards.map(({ id }) => Number(id.replace('ring-', '')))
  const owners = replicasOf(ring, tenantHash(tenant)).map((at) => numbers[at] ?? 0)
  return { owners, others: numbers.filter((one) => !owners.includes(one)) }
}

/** What became of the alerts of a stream. */
export interface Tally {
  readonly sent: number
  readonly lost: number
  readonly duplicated: number
  /** Delivered later than 5 seconds after it was sent. */
  readonly late: number
  readonly slowestMs: number
  /** Answers of the API that were no success, of how many. */
  readonly failedReads: number
  readonly reads: number
}

interface Stream {
  /** Ends it, waits for what is under way, and counts. */
  end(): Promise<Tally>
}

/**
 * Sends alerts that each are one notification, of all tenants by turns, to any instance that takes them, as a Prometheus with several
 * Alertmanagers does; each once only. An alert counts as sent when an instance has answered 200. Meanwhile it reads too.
 */
export const startStream = ({
  tenants,
  instances,
  perSecond = 20,
  drainMs = 30_000,
  toAll = false,
}: {
  readonly tenants: number
  readonly instances: readonly number[]
  readonly perSecond?: number
  readonly drainMs?: number
  /** Each alert goes to every instance, as a Prometheus sends it; otherwise to the first that takes it. */
  readonly toAll?: boolean
}): Stream => {
  const stop = new AbortController()
  const mark = `s${Date.now().toString(36)}`
  const sentAt = new Map<string, number>()
  let [reads, failedReads] = [0, 0]
  const anyOf = async (first: number, work: (instance: number) => Promise<Response>): Promise<boolean> => {
    for (let step = 0; step < instances.length; step++) {
      const answer = await work(instances[(first + step) % instances.length] ?? 1).catch(() => undefined)
      await answer?.arrayBuffer().catch(() => undefined)
      if (answer?.ok) return true
    }
    return false
  }
  const eachOf = async (work: (instance: number) => Promise<Response>): Promise<boolean> => {
    const answers = await Promise.all(instances.map((instance) => work(instance).catch(() => undefined)))
    await Promise.all(answers.map((answer) => answer?.arrayBuffer().catch(() => undefined)))
    return answers.some((answer) => answer?.ok)
  }
  const sending: Promise<void>[] = []
  const send = async (number: number): Promise<void> => {
    const name = `${mark}-${number}`
    const alert = { labels: { alertname: name }, startsAt: new Date().toISOString() }
    const at = Date.now()
    const tenant = `t-${(number % tenants) + 1}`
    const post = (instance: number) => asTenant(instance, tenant, '/api/v2/alerts', { method: 'POST', body: [alert] })
    if (await (toAll ? eachOf(post) : anyOf(number, post))) sentAt.set(name, at)
    if (number % 4 === 0) {
      reads += 1
      if (!(await anyOf(number + 1, (instance) => asTenant(instance, tenant, '/api/v2/silences')))) failedReads += 1
    }
  }
  const loop = (async () => {
    const began = Date.now()
    for (let number = 0; !stop.signal.aborted; number++) {
      sending.push(send(number))
      const next = began + ((number + 1) * 1_000) / perSecond
      await sleep(Math.max(0, next - Date.now()), undefined, { signal: stop.signal }).catch(() => undefined)
    }
  })()
  return {
    async end() {
      stop.abort()
      await loop
      await Promise.all(sending)
      await sleep(drainMs)
      const arrivals = new Map<string, number[]>()
      for (const { at, body } of labNotifications(testLab))
        for (const { labels } of (body as { alerts?: { labels: { alertname: string } }[] }).alerts ?? [])
          arrivals.set(labels.alertname, [...(arrivals.get(labels.alertname) ?? []), Date.parse(at)])
      const delays = [...sentAt].flatMap(([name, at]) => {
        const [first] = arrivals.get(name) ?? []
        return first === undefined ? [] : [first - at]
      })
      return {
        sent: sentAt.size,
        lost: sentAt.size - delays.length,
        duplicated: [...sentAt.keys()].filter((name) => (arrivals.get(name)?.length ?? 0) > 1).length,
        late: delays.filter((delay) => delay > 5_000).length,
        slowestMs: Math.max(0, ...delays),
        reads,
        failedReads,
      }
    },
  }
}

/** Posts one alert of a tenant to one instance. Throws an Error where it is not taken. */
export const post = async (instance: number, tenant: string, alertname: string): Promise<void> => {
  const answer = await asTenant(instance, tenant, '/api/v2/alerts', {
    method: 'POST',
    body: [{ labels: { alertname } }],
  })
  if (!answer.ok) throw new Error(`ring-${instance} answered ${answer.status} for ${tenant}: ${await answer.text()}`)
}

/** How often each alert was notified, by path and name: `/t-1 name` → times. */
export const deliveries = (): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { path, body } of labNotifications(testLab))
    for (const { labels } of (body as { alerts?: { labels: { alertname: string } }[] }).alerts ?? [])
      counts.set(`${path} ${labels.alertname}`, (counts.get(`${path} ${labels.alertname}`) ?? 0) + 1)
  return counts
}

/** Makes a silence of a tenant that lasts for an hour. */
export const silence = async (instance: number, tenant: string, comment: string): Promise<void> => {
  const now = Date.now()
  const body = {
    matchers: [{ name: 'silenced', value: comment, isRegex: false, isEqual: true }],
    startsAt: new Date(now).toISOString(),
    endsAt: new Date(now + 3_600_000).toISOString(),
    createdBy: 'test',
    comment,
  }
  const answer = await asTenant(instance, tenant, '/api/v2/silences', { method: 'POST', body })
  if (!answer.ok) throw new Error(`ring-${instance} answered ${answer.status} for ${tenant}: ${await answer.text()}`)
}

/** The comments of a tenant's silences that are in force, as one instance answers. */
export const silencesOf = async (instance: number, tenant: string): Promise<readonly string[]> => {
  const answer = await asTenant(instance, tenant, '/api/v2/silences')
  const all = (await answer.json()) as { comment: string; status: { state: string } }[]
  return all.filter(({ status }) => status.state === 'active').map(({ comment }) => comment)
}

/** How many of the silences `k-1` to `k-N`, one of each of the tenants by turns, are there. */
export const silencesKept = async (count: number, tenants: number, instance = 1): Promise<number> => {
  let kept = 0
  for (let at = 1; at <= count; at++)
    if ((await silencesOf(instance, `t-${((at - 1) % tenants) + 1}`)).includes(`k-${at}`)) kept += 1
  return kept
}

/** Waits until a question is answered yes; returns how long it took in ms. Throws an Error with its name when time is up. */
export const until = async (what: string, question: () => Promise<boolean>, withinMs: number): Promise<number> => {
  const began = Date.now()
  for (;;) {
    if (await question().catch(() => false)) return Date.now() - began
    if (Date.now() - began > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`)
    await sleep(100)
  }
}

export const onInstance = (instance: number, command: string): Promise<string> => onHost(hostAddress(instance), command)
/** When an instance's process started, in the kernel's ticks: another one is another process. */
export const processOf = (instance: number): Promise<string> =>
  onInstance(instance, 'systemctl show -P MainPID cortex-alertmanager')
