/** What gossip with TLS rests on, held against Alertmanager itself, the oldest and the newest that are tried: on this machine's loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Issued, issueAuthority, issueServer } from '../../../lib/certificates/issue.ts'
import { unpacked } from '../roles/binaries.ts'
import { withTemplates } from './alone.ts'

const DAY_MS = 86_400_000
const SOON = { timeout: 40_000, interval: 500 }
type Name = 'one' | 'two' | 'three'
const AT: Readonly<Record<Name, number>> = { one: 28093, two: 28193, three: 28293 }

describe.each(['0.25.0', '0.33.1'])('Alertmanager %s', (version) => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-gossip-'))
  const at = (name: string): string => join(folder, name)
  const running = new Map<Name, ChildProcess>()
  const started = new Set<ChildProcess>()
  const write = (name: string, content: unknown): void => {
    writeFileSync(at(`${name}.new`), typeof content === 'string' ? content : JSON.stringify(content))
    renameSync(at(`${name}.new`), at(name))
  }
  const holds = async (name: Name, authority: Issued, { client = true, ms = DAY_MS } = {}): Promise<void> => {
    const { certificate, key } = await issueServer(authority, { names: ['127.0.0.1'], subject: name, ms, client })
    write(`${name}.pem`, `${certificate}${key.reveal()}`)
  }
  const trusts = (name: Name, ...authorities: readonly Issued[]): void =>
    write(`${name}.crt`, authorities.map(({ certificate }) => certificate).join(''))
  const start = (name: Name, { tls = true } = {}): void => {
    const own = { cert_file: at(`${name}.pem`), key_file: at(`${name}.pem`) }
    const trusted = at(`${name}.crt`)
    write(`${name}.yml`, {
      tls_server_config: { ...own, client_auth_type: 'RequireAndVerifyClientCert', client_ca_file: trusted },
      tls_client_config: { ...own, ca_file: trusted },
    })
    // Nobody calls the third: it has to be let in.
    const peers = (['one', 'two'] as const).filter((peer) => peer !== name).map((peer) => AT[peer])
    const binary = join(unpacked('alertmanager', version), 'alertmanager')
    const [command = '', ...words] = withTemplates(binary)
    const child = spawn(
      command,
      [
        ...words,
        ...[`--config.file=${at('am.yml')}`, `--storage.path=${at(name)}`, '--cluster.gossip-interval=50ms'],
        ...[`--web.listen-address=127.0.0.1:${AT[name]}`, `--cluster.listen-address=127.0.0.1:${AT[name] + 1}`],
        ...peers.map((port) => `--cluster.peer=127.0.0.1:${port + 1}`),
        '--cluster.reconnect-interval=1s',
        ...(tls ? [`--cluster.tls-config=${at(`${name}.yml`)}`] : []),
      ],
      { stdio: 'ignore' },
    )
    running.set(name, child)
    started.add(child)
  }
  const stop = async (name: Name): Promise<void> => {
    const child = running.get(name)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }
  const sees = async (name: Name): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${AT[name]}/api/v2/status`).catch(() => undefined)
    if (!answer?.ok) return 0
    const { cluster } = (await answer.json()) as { cluster: { peers?: readonly unknown[] } }
    return cluster.peers?.length ?? 0
  }
  const all = (): Promise<readonly number[]> => Promise.all((['one', 'two', 'three'] as const).map(sees))

  let ours: Issued
  let next: Issued
  beforeAll(async () => {
    write('am.yml', { route: { receiver: 'none' }, receivers: [{ name: 'none' }] })
    ours = await issueAuthority({ subject: 'first', ms: DAY_MS })
    next = await issueAuthority({ subject: 'second', ms: DAY_MS })
    for (const name of ['one', 'two', 'three'] as const) {
      trusts(name, ours)
      await holds(name, ours)
    }
    start('one')
    start('two')
  })
  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  test('a member without TLS, with a web server’s certificate, a foreign one or one that has expired is heard by nobody', async () => {
    await expect.poll(all, SOON).toEqual([2, 2, 0])
    const strangers: readonly (() => Promise<{ tls?: boolean }>)[] = [
      async () => ({ tls: false }),
      async () => holds('three', ours, { client: false }).then(() => ({})),
      async () => holds('three', next).then(() => ({})),
      async () => holds('three', ours, { ms: -1_000 }).then(() => ({})),
    ]
    for (const stranger of strangers) {
      start('three', await stranger())
      await expect.poll(() => sees('three'), SOON).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 3_000))
      expect(await all()).toEqual([2, 2, 1])
      await stop('three')
    }
  })

  test('its certificate is read again with each handshake, so that one which runs is let in once it has a good one', async () => {
    start('three')
    await expect.poll(() => sees('three'), SOON).toBe(1)
    await holds('three', ours)
    await expect.poll(all, SOON).toEqual([3, 3, 3])
  })

  test('whom it trusts is read when it starts, and not again: one whose certificate is of another authority is let in after a restart', async () => {
    for (const name of ['one', 'two', 'three'] as const) trusts(name, ours, next)
    await stop('three')
    await holds('three', next)
    start('three')
    await expect.poll(() => sees('three'), SOON).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(await sees('one')).toBe(2)
    for (const name of ['one', 'two'] as const) {
      await stop(name)
      start(name)
    }
    await expect.poll(all, SOON).toEqual([3, 3, 3])
  })
})
