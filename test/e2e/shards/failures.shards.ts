/** What who asks at the one address sees of a machine or program that is lost. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { powerLoss, powerOn } from '../../../lib/lab/faults.ts'
import { testLab } from '../lab-setup.ts'
import { type Asked, addressOf, ask, at, machineOf, numberOf, ONE, on, QUERIES, startAsking, until } from './fleet.ts'

const COUNT = 'count(up{job="node"})'
const figures: string[] = []

const healthy = () =>
  until('everything serves', async () => JSON.parse((await on(['status', '--json'])).stdout).healthy, 120_000)

beforeAll(async () => {
  await on(['deploy', '-y', '--no-watch-alerts'])
  await healthy()
})
afterEach(healthy)
afterAll(() => console.log(['what was lost: longest time without an answer', ...figures].join('\n')))

/** Asks all the while, does this after two seconds, and goes on for as many more. */
const whileAsking = async (what: string, work: () => Promise<unknown>, seconds = 15): Promise<Asked> => {
  const asking = startAsking(COUNT)
  await sleep(2_000)
  await work()
  await sleep(seconds * 1_000)
  const asked = await asking.end()
  figures.push(
    `${what}: ${asked.longestGapMs} ms; ${asked.failed} of ${asked.questions} failed, ${asked.partial} with a warning, slowest ${asked.slowestMs} ms`,
  )
  return asked
}

/** The gateway that has the one address. */
const holder = async (): Promise<string> => {
  for (const name of ['gw-1', 'gw-2']) if ((await at(name, 'ip -br addr show eth0')).includes(ONE)) return name
  throw new Error('no gateway has the address')
}
const kill = (name: string, service: string) => () => at(name, `systemctl kill --signal=KILL ${service}`)
const powerCut = async (name: string, seconds = 25): Promise<Asked> => {
  try {
    return await whileAsking(`power of ${name}`, () => powerLoss(machineOf(name), testLab), seconds)
  } finally {
    await powerOn(machineOf(name), testLab)
  }
}

test('a Query that is killed: no question fails', async () => {
  const asked = await whileAsking('kill -9 of a Query', kill('query-1', 'thanos-query'))
  expect([asked.failed, asked.numbers.length]).toEqual([0, 1])
  expect(asked.longestGapMs).toBeLessThan(2_000)
})

test('a sidecar that is killed: the answers go on, and say that they lack it', async () => {
  const asked = await whileAsking('kill -9 of a sidecar', kill('prom-1', 'thanos-sidecar'))
  expect([asked.failed, asked.numbers.length]).toEqual([0, 1])
  expect(asked.partial).toBeGreaterThan(0)
  expect(asked.longestGapMs).toBeLessThan(2_000)
})

test('a Prometheus that is killed: the other replica answers', async () => {
  const asked = await whileAsking('kill -9 of a Prometheus', kill('prom-3', 'prometheus'))
  expect([asked.failed, asked.numbers.length]).toEqual([0, 1])
  expect(asked.longestGapMs).toBeLessThan(5_000)
})

test('a gateway that is killed: its systemd or the other one answers', async () => {
  const asked = await whileAsking('kill -9 of the gateway with the address', async () =>
    at(await holder(), 'systemctl kill --signal=KILL gateway'),
  )
  expect(asked.longestGapMs).toBeLessThan(8_000)
})

test('the machine of the gateway with the address: the other one takes it', async () => {
  const before = await holder()
  const asked = await powerCut(before)
  expect(asked.longestGapMs).toBeLessThan(8_000)
  expect(await holder()).not.toBe(before)
})

test('the machine of a Query', async () => {
  const asked = await powerCut('query-2')
  // What is under way there when two checks have found it gone is ended, if it was not asked again before.
  expect(asked.failed).toBeLessThanOrEqual(5)
  expect([asked.longestGapMs, asked.slowestMs].every((ms) => ms < 8_000)).toBe(true)
})

test('the machine of a Prometheus: the answers go on, and say that they lack it', async () => {
  const asked = await powerCut('prom-2')
  expect(asked.partial).toBeGreaterThan(0)
  expect(asked.failed).toBe(0)
  // The relay has noticed by then; gRPC itself would go on for 20 s.
  expect(asked.longestGapMs).toBeLessThan(8_000)
})

test('pages of Prometheus and Alertmanager are behind the same address', async () => {
  const page = async (port: number, path: string) => (await fetch(`http://${ONE}:${port}${path}`)).status
  expect([await page(8091, '/-/ready'), await page(8093, '/-/ready')]).toEqual([200, 200])
  const named = await fetch(`http://${ONE}:8091/api/v1/status/config?server=prom-3`)
  expect(await named.text()).toContain('replica: prom-3')
  expect(named.headers.get('set-cookie')).toContain('vestal-prometheus=prom-3')
  expect(numberOf(await ask(QUERIES, COUNT))).toBeGreaterThan(0)
  expect(addressOf('gw-1')).not.toBe(ONE)
})
