/** The fleet of inventory/ha with certificates: its inventory with and without TLS, and what its web servers show. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openAuthority, readAuthority } from '../../../lib/certificates/authority.ts'
import { type Issued, issueServer } from '../../../lib/certificates/issue.ts'
import type { AlertsReport } from '../../../lib/model.ts'
import { ADDRESSES, failuresOf, MEMBERS, type Member } from '../deploy/fleet.ts'
import { haWith } from '../deploy/inventories.ts'
import { type Ended, onHost, reportOf, vestal } from '../vestal.ts'

const password = join(mkdtempSync(join(tmpdir(), 'vestal-password-')), 'vault')
writeFileSync(password, 'for tests alone\n')
// Every command below has it: the password of the authority's key.
process.env.ANSIBLE_VAULT_PASSWORD_FILE = password

/** A copy of inventory/ha whose canaries are quick to be over. */
export const inventory = haWith({
  alertmanager: { alertmanager: { cluster: { peer_timeout: '2s' }, canary: { every: '1s', group_interval: '20s' } } },
})

/** Sets `tls` for all hosts of the inventory. */
export const setTls = (tls: unknown): void =>
  writeFileSync(join(inventory, 'group_vars/all.yml'), `${all}tls: ${JSON.stringify(tls)}\n`)
const all = readFileSync(join(inventory, 'group_vars/all.yml'), 'utf8')

/** Runs a command over the fleet with canary alerts; expects that nothing failed, and that each alert was notified once. */
export const watched = async (...words: readonly string[]): Promise<AlertsReport> => {
  const { ended, alerts } = await watching(...words)
  expect(alerts).toMatchObject({ lost: 0, duplicated: 0, unresolved: 0, linksLost: 0 })
  expect({ code: ended.code, failures: failuresOf(ended) }).toEqual({ code: 0, failures: [] })
  expect(alerts.delivered).toBe(alerts.sent)
  return alerts
}

/** The same, whatever became of the alerts. */
export const watching = async (
  ...words: readonly string[]
): Promise<{ readonly ended: Ended; readonly alerts: AlertsReport }> => {
  const ended = await vestal([...words, '-i', inventory, '--watch-alerts', '--json', '--yes'])
  const alerts = reportOf(ended).alerts as AlertsReport
  console.log(`${words.join(' ')}: ${JSON.stringify({ ...alerts, canaries: undefined })}`)
  return { ended, alerts }
}

export const plan = (): Promise<Ended> => vestal(['plan', '-i', inventory, '--exit-code'])

/** What a web server answers to plain HTTP, and to HTTPS with this authority alone trusted: status, or why not. */
export const plainly = (member: Member, port: number): Promise<number> =>
  fetch(`http://${ADDRESSES[member]}:${port}/metrics`, { signal: AbortSignal.timeout(10_000) }).then(
    ({ status }) => status,
  )
export const securely = (
  member: Member,
  port: number,
  ca = readAuthority({ folder: inventory })?.bundle,
): Promise<number | string> =>
  new Promise((resolve) => {
    const asked = request(
      { host: ADDRESSES[member], port, path: '/metrics', ca, agent: false, timeout: 10_000 },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      },
    )
    asked.on('error', (error) => resolve('code' in error ? String(error.code) : error.message))
    asked.end()
  })

/** Every web server of the fleet. */
export const SERVERS: readonly (readonly [Member, number])[] = [
  ...MEMBERS.map((name) => [name, 9100] as const),
  ...(['prom-1', 'prom-2'] as const).map((name) => [name, 9090] as const),
  ...(['am-1', 'am-2', 'am-3'] as const).map((name) => [name, 9093] as const),
]

/** The process of each service of the fleet. */
export const processes = async (): Promise<readonly string[]> =>
  Promise.all(
    MEMBERS.map((name) =>
      onHost(
        ADDRESSES[name],
        'for one in prometheus alertmanager node_exporter; do systemctl show --property=MainPID,InvocationID --value $one; done',
      ),
    ),
  )

const FILES: Readonly<Record<number, string>> = {
  9090: '/etc/prometheus/web.pem',
  9093: '/etc/alertmanager/web.pem',
  9100: '/etc/node_exporter/web.pem',
}
/** Puts another certificate in a web server's place, as somebody who is root there could. */
export const exchange = (member: Member, port: number, { certificate, key }: Issued): Promise<string> =>
  onHost(ADDRESSES[member], `cat >${FILES[port]}`, `${certificate}${key.reveal()}`)

/** The certificate that a web server's file holds. */
export const certificateOn = ([member, port]: readonly [Member, number]): Promise<string> =>
  onHost(ADDRESSES[member], `sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' ${FILES[port]}`)

/** A certificate of the fleet's own authority that has expired. */
export const expired = (member: Member): Promise<Issued> => {
  const authority = readAuthority({ folder: inventory })
  if (!authority) throw new Error('there is no authority')
  return issueServer(openAuthority(authority), {
    names: [ADDRESSES[member], member].sort(),
    subject: member,
    ms: -1_000,
  })
}

/** What `check` finds, but for what stands open. */
export const findings = async (): Promise<readonly { readonly id: string }[]> => {
  const { stdout } = await vestal(['check', '-i', inventory, '--json'])
  return JSON.parse(stdout).findings.filter(({ id }: { id: string }) => id !== 'open-ports')
}
