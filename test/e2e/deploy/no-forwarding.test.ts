/** A hardened host whose sshd forwards no port: everything but a watched run works there. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onHost, vestal } from '../vestal.ts'
import { deploy, SPARE } from './fleet.ts'
import { allOn } from './inventories.ts'

const CONFIG = '/etc/ssh/sshd_config.d/00-hardened.conf'
const inventory = allOn('spare', {
  address: SPARE,
  vars: {
    node_exporter: { version: '1.11.1' },
    prometheus: { version: '3.5.3', scrape_interval: '1s', evaluation_interval: '1s' },
    rules: { self_monitoring: false },
    alertmanager: { version: '0.33.1', config: { route: { receiver: 'none' }, receivers: [{ name: 'none' }] } },
  },
})

beforeAll(() => onHost(SPARE, `printf 'DisableForwarding yes\\n' >${CONFIG}; systemctl reload ssh`))
afterAll(() =>
  onHost(SPARE, `rm -f ${CONFIG}; systemctl reload ssh; systemctl stop prometheus alertmanager node_exporter`),
)

test('is deployed to, with gates that ask its services', async () => {
  const { events } = await deploy('-i', inventory)
  const passed = events.flatMap((event) => (event.event === 'gate' && event.last ? [event.verdict.pass] : []))
  expect(passed.length).toBeGreaterThan(2)
  expect(passed).not.toContain(false)
})

test('has its status told', async () => {
  expect(await vestal(['status', '-i', inventory])).toMatchObject({ code: 0 })
})

test('is told of by check, with the remedy', async () => {
  const { stdout } = await vestal(['check', '-i', inventory, '--json'])
  const { findings } = JSON.parse(stdout) as { findings: readonly { id: string; severity: string; fix: string }[] }
  expect(findings.filter(({ id }) => id === 'no-forwarding')).toEqual([
    expect.objectContaining({ severity: 'warning', fix: expect.stringContaining('AllowTcpForwarding yes') }),
  ])
})
