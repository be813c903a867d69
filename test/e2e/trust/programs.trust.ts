/** What TLS here rests on, held against the programs themselves, the oldest and the newest that are tried: on this machine's loopback, without any fleet. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request as plain } from 'node:http'
import { request as secure } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Issued, issueAuthority, issueServer } from '../../../lib/certificates/issue.ts'
import { type ProgramName, unpacked } from '../roles/binaries.ts'
import { withTemplates } from './alone.ts'

const DAY_MS = 86_400_000
const [PROMETHEUS, ALERTMANAGER, EXPORTER] = [29090, 29093, 29100]

describe.each([
  { prometheus: '2.42.0', alertmanager: '0.25.0', exporter: '1.5.0' },
  { prometheus: '3.5.3', alertmanager: '0.33.1', exporter: '1.11.1' },
])('Prometheus $prometheus, Alertmanager $alertmanager, node_exporter $exporter', (versions) => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-trust-'))
  const at = (name: string): string => join(folder, name)
  const running = new Map<string, ChildProcess>()
  const write = (name: string, content: unknown): void => {
    writeFileSync(at(`${name}.new`), typeof content === 'string' ? content : JSON.stringify(content))
    renameSync(at(`${name}.new`), at(name))
  }
  const start = (program: ProgramName, version: string, ...flags: readonly string[]): void => {
    const binary = join(unpacked(program, version), program)
    const [command = '', ...words] = program === 'alertmanager' ? withTemplates(binary) : [binary]
    running.set(program, spawn(command, [...words, ...flags], { stdio: 'ignore' }))
  }
  const stop = async (program: ProgramName): Promise<void> => {
    const child = running.get(program)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }
  const alertmanager = (...flags: readonly string[]): void =>
    start(
      'alertmanager',
      versions.alertmanager,
      ...[`--web.listen-address=127.0.0.1:${ALERTMANAGER}`, '--cluster.listen-address=', `--storage.path=${at('am')}`],
      ...[`--config.file=${at('am.yml')}`, ...flags],
    )
  const exporter = (...flags: readonly string[]): void =>
    start(
      'node_exporter',
      versions.exporter,
      ...[`--web.listen-address=127.0.0.1:${EXPORTER}`, '--collector.disable-defaults', '--collector.time', ...flags],
    )
  const targets = (scheme?: string): void =>
    write('targets.json', [
      { targets: [`127.0.0.1:${EXPORTER}`], labels: { ...(scheme && { __scheme__: scheme }), instance: 'one' } },
    ])
  const serve = ({ certificate, key }: Issued): void => write('web.pem', `${certificate}${key.reveal()}`)

  const up = async (): Promise<string | undefined> => {
    const text = await get(plain, PROMETHEUS, '/api/v1/query?query=up')
    return JSON.parse(text).data.result[0]?.value[1]
  }
  const alerts = async (by: typeof plain): Promise<readonly string[]> =>
    JSON.parse(await get(by, ALERTMANAGER, '/api/v2/alerts')).map(
      ({ labels }: { labels: { alertname: string } }) => labels.alertname,
    )

  let ours: Issued
  let next: Issued
  beforeAll(async () => {
    ours = await issueAuthority({ subject: 'first', ms: DAY_MS })
    next = await issueAuthority({ subject: 'second', ms: DAY_MS })
    serve(await leafOf(ours))
    write('authority.crt', ours.certificate)
    write('web.yml', { tls_server_config: { cert_file: at('web.pem'), key_file: at('web.pem') } })
    write('am.yml', { route: { receiver: 'none' }, receivers: [{ name: 'none' }] })
    write('rules.json', { groups: [{ name: 'all', rules: [{ alert: 'Always', expr: 'vector(1)' }] }] })
    const to = { api_version: 'v2', static_configs: [{ targets: [`127.0.0.1:${ALERTMANAGER}`] }] }
    const tls_config = { ca_file: at('authority.crt') }
    write('prometheus.yml', {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [at('rules.json')],
      alerting: { alertmanagers: [to, { ...to, scheme: 'https', tls_config }] },
      scrape_configs: [{ job_name: 'node', tls_config, file_sd_configs: [{ files: [at('targets.json')] }] }],
    })
    targets()
    alertmanager()
    exporter()
    start(
      'prometheus',
      versions.prometheus,
      ...[`--config.file=${at('prometheus.yml')}`, `--storage.tsdb.path=${at('data')}`],
      ...[`--web.listen-address=127.0.0.1:${PROMETHEUS}`, '--rules.alert.resend-delay=1s'],
    )
  })
  afterAll(async () => {
    await Promise.all([...running.keys()].map((program) => stop(program as ProgramName)))
    rmSync(folder, { recursive: true })
  })

  test('alerts that are sent both ways arrive without TLS, and targets are scraped by what their own label says', async () => {
    await expect.poll(up, SOON).toBe('1')
    await expect.poll(() => alerts(plain), SOON).toEqual(['Always'])
  })

  test('both servers turn TLS on: alerts still arrive, and nobody has reloaded Prometheus', async () => {
    await Promise.all([stop('alertmanager'), stop('node_exporter')])
    alertmanager(`--web.config.file=${at('web.yml')}`)
    exporter(`--web.config.file=${at('web.yml')}`)
    targets('https')
    await expect.poll(() => alerts(secure), SOON).toEqual(['Always'])
    await expect.poll(up, SOON).toBe('1')
  })

  test('a certificate in one file with its key is read again, and so is the authority of those who ask', async () => {
    const now = await serialAt(EXPORTER)
    serve(await leafOf(ours))
    expect(await serialAt(EXPORTER)).not.toBe(now)
    expect(await up()).toBe('1')
    serve(await leafOf(next))
    // Connections that are open already go on as they were; a scraper keeps its own for as long as they last.
    await stop('node_exporter')
    exporter(`--web.config.file=${at('web.yml')}`)
    await expect.poll(up, SOON).toBe('0')
    write('authority.crt', `${ours.certificate}${next.certificate}`)
    await expect.poll(up, SOON).toBe('1')
  })

  test('a certificate that has expired is refused', async () => {
    serve(await leafOf(ours, -1_000))
    await stop('node_exporter')
    exporter(`--web.config.file=${at('web.yml')}`)
    await expect.poll(up, SOON).toBe('0')
  })
})

const SOON = { timeout: 60_000, interval: 200 }

const leafOf = (authority: Issued, ms = DAY_MS): Promise<Issued> =>
  issueServer(authority, { names: ['127.0.0.1'], subject: 'one', ms })

const get = (by: typeof plain, port: number, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = by(
      { host: '127.0.0.1', port, path, agent: false, rejectUnauthorized: false, timeout: 5_000 } as object,
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => resolve(Buffer.concat(chunks).toString()))
      },
    )
    asked.on('error', reject)
    asked.end()
  })

/** The serial number of the certificate that a new connection is shown. */
const serialAt = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = secure({ host: '127.0.0.1', port, agent: false, rejectUnauthorized: false }, (answer) => {
      answer.resume()
      resolve((answer.socket as import('node:tls').TLSSocket).getPeerCertificate().serialNumber)
    })
    asked.on('error', reject)
    asked.end()
  })
