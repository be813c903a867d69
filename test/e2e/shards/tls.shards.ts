/** The example inventory with one place to ask, with TLS: Thanos, and a gateway that verifies whom it asks, and hears of another authority. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { beforeAll, expect, test } from 'vitest'
import { readAuthority } from '../../../lib/certificates/authority.ts'
import { vestal } from '../vestal.ts'
import { ask, at, GLOBAL, numberOf, on, QUERIES, startAsking, until } from './fleet.ts'

const folder = mkdtempSync(join(tmpdir(), 'vestal-tls-'))
const inventory = join(folder, 'global')
cpSync(GLOBAL, inventory, { recursive: true })
const all = join(inventory, 'group_vars/all.yml')
writeFileSync(all, `${readFileSync(all, 'utf8')}tls: { plain: [gateway], gossip: true }\n`)
writeFileSync(join(folder, 'password'), 'for tests alone\n')
process.env.ANSIBLE_VAULT_PASSWORD_FILE = join(folder, 'password')

const started = (): Promise<readonly string[]> =>
  Promise.all(
    (['gw-1', 'gw-2'] as const).map((name) => at(name, 'systemctl show --property=InvocationID --value gateway')),
  )
const pages = async (): Promise<readonly (number | string)[]> =>
  Promise.all(
    [8091, 8093].map(async (port) => {
      const answer = await fetch(`http://${QUERIES.split(':')[0]}:${port}/-/ready`, {
        signal: AbortSignal.timeout(10_000),
      })
      return answer.status
    }),
  )

/** What a server of gRPC says first to whoever shows this certificate and key, or none: `HTTP/2` for its settings, or why it says nothing. */
const greeting = (host: string, port: number, shown?: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({
      ...{ host, port, ca: readAuthority({ folder: inventory })?.bundle, ALPNProtocols: ['h2'] },
      ...(shown !== undefined && { cert: shown, key: shown }),
    })
    const say = (what: string): void => {
      socket.destroy()
      resolve(what)
    }
    socket.setTimeout(10_000, () => say('nothing'))
    socket.once('error', ({ message }) => say(message))
    // A frame of the type SETTINGS (RFC 9113, 6.5).
    socket.once('data', (frame: Buffer) => say(frame[3] === 4 ? 'HTTP/2' : 'something else'))
    socket.once('secureConnect', () => socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0'))
  })

beforeAll(async () => {
  expect(await vestal(['certificates', 'init', '-i', inventory])).toMatchObject({ code: 0 })
  await on(['deploy', '-y', '--no-watch-alerts'], 0, inventory)
})

test('it is whole, a second deploy changes nothing, and what is asked at its one address is answered by all', async () => {
  expect((await on(['deploy', '-y', '--no-watch-alerts'], 0, inventory)).stdout).toMatch(/: 0 changed,/)
  expect(JSON.parse((await on(['status', '--json'], 0, inventory)).stdout).healthy).toBe(true)
  const answer = await ask(QUERIES, 'count(up)')
  expect(answer.warnings).toBeUndefined()
  expect(numberOf(answer)).toBeGreaterThan(20)
  expect(numberOf(await ask(QUERIES, 'count(up == 0)'))).toBeNaN()
  expect(await pages()).toEqual([200, 200])
})

test('every web server of Thanos has a certificate, and none answers in plain text', async () => {
  const { servers } = JSON.parse((await on(['certificates', 'status', '--json'], 0, inventory)).stdout) as {
    servers: readonly { host: string; role: string; port: number; speaks: string; until: string }[]
  }
  // What those show who ask by gRPC.
  const clients = servers.filter(({ port, until }) => [10903, 10905].includes(port) && until !== '')
  expect(clients.map(({ host, role }) => `${host} ${role}`).sort()).toEqual(
    ['query-1', 'query-2'].flatMap((host) => [`${host} thanos-query`, `${host} thanos-rule`]),
  )
  const speaking = Map.groupBy(servers, ({ role }) => role)
  for (const role of ['thanos-sidecar', 'thanos-query', 'thanos-rule'])
    expect(new Set(speaking.get(role)?.map(({ speaks }) => speaks))).toEqual(new Set(['tls']))
  expect((await fetch('http://10.88.0.17:10904/-/ready')).status).toBe(400)
})

test('gRPC of Thanos answers whoever shows a certificate for clients, and nobody else', async () => {
  const [shown, server] = await Promise.all([
    at('query-1', 'cat /etc/thanos-query/grpc.pem'),
    at('query-1', 'cat /etc/thanos-query/web.pem'),
  ])
  for (const [host, port] of [
    ['10.88.0.11', 10901],
    ['10.88.0.17', 10903],
    ['10.88.0.17', 10905],
  ] as const) {
    expect(await greeting(host, port, shown)).toBe('HTTP/2')
    expect(await greeting(host, port, server)).toMatch(/bad certificate/)
    expect(await greeting(host, port)).toMatch(/certificate required/)
  }
})

test('TLS of Thanos is turned off and on again: next to every question is answered, no alert is lost, and rules are evaluated at the end as before', async () => {
  const thanos = 'thanos-sidecar, thanos-query, thanos-rule'
  const speaking = async (): Promise<ReadonlySet<string>> => {
    const { servers } = JSON.parse((await vestal(['certificates', 'status', '--json', '-i', inventory])).stdout) as {
      servers: readonly { role: string; speaks: string }[]
    }
    return new Set(servers.flatMap(({ role, speaks }) => (role.startsWith('thanos-') ? [speaks] : [])))
  }
  for (const [tls, speaks] of [
    [`{ plain: [gateway, ${thanos}], gossip: true }`, 'plain'],
    ['{ plain: [gateway], gossip: true }', 'tls'],
  ] as const) {
    writeFileSync(all, readFileSync(all, 'utf8').replace(/^tls: .*$/m, `tls: ${tls}`))
    const asking = startAsking('count(up)')
    const { stdout } = await on(['deploy', '-y', '--watch-alerts', '--json'], 0, inventory)
    const asked = await asking.end()
    const ended = stdout
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
      .findLast(({ event }) => event === 'run-ended')
    const { sent, lost, duplicated } = ended.report.alerts
    const evaluations = async (metric: string, within: string): Promise<number> =>
      numberOf(await ask(QUERIES, `sum(increase(${metric}{job="thanos-rule"}[${within}]))`))
    const [done, failed] = await Promise.all(
      ['evaluations', 'evaluation_failures'].map((what) => evaluations(`prometheus_rule_${what}_total`, '4m')),
    )
    console.log(`${speaks}: ${JSON.stringify({ ...asked, sent, lost, duplicated, evaluations: { done, failed } })}`)
    // A gateway asks a Query that has turned as before until its checks see that, a second or two of ten questions a second: half of them are its own.
    expect(asked.failed).toBeLessThanOrEqual(20)
    expect(asked.longestGapMs).toBeLessThan(1_000)
    expect(lost).toBe(0)
    await until(
      'no rule has failed for 20 s',
      async () =>
        (await evaluations('prometheus_rule_evaluation_failures_total', '20s')) === 0 &&
        (await evaluations('prometheus_rule_evaluations_total', '20s')) > 0,
      60_000,
    )
    expect(await speaking()).toEqual(new Set([speaks]))
    expect((await greeting('10.88.0.11', 10901)).includes('certificate required')).toBe(speaks === 'tls')
  }
})

test('the authority is exchanged, and all is answered meanwhile and after: gateways are reloaded, and not restarted', async () => {
  const before = await started()
  let asked = 0
  let failed = 0
  let done = false
  const asking = (async () => {
    while (!done) {
      asked++
      await ask(QUERIES, 'vector(1)').then(
        ({ status }) => void (status === 'success' || failed++),
        () => void failed++,
      )
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  })()
  await on(['certificates', 'rotate-authority', '-y'], 0, inventory)
  done = true
  await asking
  console.log(`asked ${asked}, failed ${failed}`)
  expect(failed).toBe(0)
  expect(await started()).toEqual(before)
  expect(readAuthority({ folder: inventory })).toMatchObject({ issuing: '2', trusted: ['2'] })
  await until(
    'status is content',
    async () => JSON.parse((await vestal(['status', '--json', '-i', inventory])).stdout).healthy,
    60_000,
  )
  expect((await ask(QUERIES, 'count(up)')).warnings).toBeUndefined()
  expect(await pages()).toEqual([200, 200])
})
