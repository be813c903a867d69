/** A user's own role and playbook, as docs/own-role.md shows them, on two lab hosts. */
import { beforeAll, expect, test } from 'vitest'
import { onHost, vestal } from '../vestal.ts'

const HOSTS = ['10.88.0.15', '10.88.0.16'] as const
const INVENTORY = 'docs/own-role/inventory'
const playbook = { program: ['npx', 'zx', 'docs/own-role/playbook.ts'] }
const RESET = `systemctl disable --now --quiet spool_exporter 2>/dev/null
rm -rf /etc/systemd/system/spool_exporter.service /usr/local/lib/spool-exporter.py /var/spool/work '/srv/in box'
systemctl daemon-reload`
const metric = async (address: string): Promise<string> => {
  const answer = await fetch(`http://${address}:9200/metrics`, { signal: AbortSignal.timeout(10_000) })
  return (await answer.text()).split('\n')[1] ?? ''
}

beforeAll(async () => {
  await Promise.all(HOSTS.map((address) => onHost(address, RESET)))
})

test('the exporter counts files on every host of the group', async () => {
  const { code, stdout, stderr } = await vestal(['-i', INVENTORY], playbook)
  expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' })
  await onHost(HOSTS[1], "touch '/srv/in box/a' '/srv/in box/b'")
  expect(await Promise.all(HOSTS.map(metric))).toEqual(['spool_files 0', 'spool_files 2'])
})

test('running it again changes nothing', async () => {
  const { code, stdout } = await vestal(['-i', INVENTORY], playbook)
  expect(code).toBe(0)
  expect(stdout).toMatch(/: 0 changed,/)
})

test('a program that somebody edited is put back, and the process that ran it restarted', async () => {
  await onHost(HOSTS[0], 'echo "# changed" >> /usr/local/lib/spool-exporter.py && systemctl restart spool_exporter')
  const { code, stdout } = await vestal(['-i', INVENTORY], playbook)
  expect(code).toBe(0)
  expect(stdout).toMatch(/spool-1: restart spool_exporter\.service/)
  expect(stdout).toMatch(/: 2 changed,/)
  expect(await metric(HOSTS[0])).toBe('spool_files 0')
})
