/**
 * A service's account that tries to become root, or to read what only root may, whenever Vestal works in its data folder: it gains nothing. As little
 * as one whose machine has made a backup.
 * VESTAL_ROUNDS says how often, 50 if unset; they are shared by machines that have nothing to do with each other.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256Of } from '../../../fleet/backup/manifest.ts'
import { ADDRESSES, deploy } from '../deploy/fleet.ts'
import { inventoryOf } from '../deploy/inventories.ts'
import { type Ended, onHost, resetHost, vestal } from '../vestal.ts'

const ROUNDS = Number(process.env.VESTAL_ROUNDS ?? 50)
const GUARD = '/var/lib/vestal-guard'
const SECRET = 'only-root-may-read-this'
const WAYS = ['swap', 'swap', 'ahead', 'source'] as const

/** A kind of service, and the names at which Vestal works in its data folder. */
interface Attacked {
  readonly program: 'prometheus' | 'alertmanager'
  readonly settings: Readonly<Record<string, unknown>>
  readonly versions: readonly string[]
  readonly names: readonly string[]
}
const IN_RESTORE = ['', '.tar', '.half'].map((end) => `.vestal-restore${end}`)
const ASIDE = ['', '.part', '.gone'].map((end) => `.vestal-before-restore${end}`)
const PROMETHEUS: Attacked = {
  program: 'prometheus',
  settings: { version: '2.53.3', cluster: 'lab', scrape_interval: '5s' },
  versions: ['--prometheus', '3.5.3'],
  names: [
    ...['.vestal-backup', '.vestal-backup/wal', ...IN_RESTORE, ...ASIDE],
    ...['snapshots', 'snapshots/.vestal-new', 'snapshots/.vestal-new/wal', 'snapshots/vestal-2.53.3'],
    ...['snapshots/vestal-3.5.3', 'snapshots/vestal-3.5.3.new'],
  ],
}
const ALERTMANAGER: Attacked = {
  program: 'alertmanager',
  settings: {
    version: '0.28.1',
    config: { route: { receiver: 'nobody' }, receivers: [{ name: 'nobody' }] },
  },
  versions: ['--alertmanager', '0.33.1'],
  names: ['.vestal-backup', ...IN_RESTORE, ...ASIDE],
}

/** A machine that is a fleet by itself. */
interface Lane {
  readonly address: string
  readonly of: Attacked
  readonly folder: string
  inventory: string
  readonly good: string
}
const backups = mkdtempSync(join(tmpdir(), 'vestal-hostile-'))
const lane = (address: string, of: Attacked): Lane => ({
  address,
  of,
  folder: `/var/lib/${of.program}`,
  inventory: '',
  good: join(backups, `good-${address}`),
})
const LANES = [
  ...[ADDRESSES['prom-1'], ADDRESSES['prom-2'], ADDRESSES['node-1']].map((address) => lane(address, PROMETHEUS)),
  ...[ADDRESSES['am-1'], ADDRESSES['am-2']].map((address) => lane(address, ALERTMANAGER)),
]

const standing = async (on: Lane): Promise<void> => {
  const { program, settings } = on.of
  on.inventory = inventoryOf({
    'hosts.yml': { all: { children: { [program]: { hosts: { one: { ansible_host: on.address } } } } } },
    [`group_vars/${program}.yml`]: { [program]: settings },
  })
  await resetHost(on.address)
  await deploy('-i', on.inventory)
}

beforeAll(async () => {
  await Promise.all(
    LANES.map(async (on) => {
      await onHost(
        on.address,
        `mkdir -p -m 0700 ${GUARD}; echo ${SECRET} >${GUARD}/00000001; chmod 600 ${GUARD}/00000001`,
      )
      await standing(on)
      expect(await vestal(['backup', '-i', on.inventory, '--to', on.good])).toMatchObject({ code: 0 })
    }),
  )
})
afterAll(async () => {
  for (const on of LANES) await callOff(on)
  for (const { address } of LANES) await onHost(address, `rm -rf ${GUARD}`)
  rmSync(backups, { recursive: true, force: true })
})

const attack = ({ address, folder, of }: Lane, how: string): Promise<string> =>
  onHost(
    address,
    `cat >/run/swap.pl; setsid setpriv --reuid=${of.program} --regid=${of.program} --clear-groups perl /run/swap.pl ${folder} ${GUARD} ${how} ${of.names.join(' ')} >/dev/null 2>&1 </dev/null & echo $! >/run/swap.pid`,
    readFileSync(join(import.meta.dirname, 'swap.pl'), 'utf8'),
  )
const callOff = ({ address, folder }: Lane): Promise<string> =>
  onHost(
    address,
    `if [ -e /run/swap.pid ]; then pid=$(cat /run/swap.pid); rm /run/swap.pid; kill $pid; while [ -d /proc/$pid ]; do sleep 0.1; done; fi 2>/dev/null
if cd ${folder}; then rm -rf .evil .vestal-* *.grave* snapshots/*.grave* wal/*.pad* wal/zz-planted; fi; exit 0`,
  )

/**
 * What only root may change: files of the system with owner and mode, what is in the guarded folder, and all over the machine what belongs to
 * the account or has set-id bits. And, in its data folder, what is root's: there is none, as root does nothing there.
 */
const guarded = ({ address, folder, of }: Lane): Promise<string> =>
  onHost(
    address,
    `find /etc /root /usr/bin /usr/sbin /usr/local/sbin /var/spool ${GUARD} -xdev \\( -path /etc/systemd -o -path /etc/${of.program} \\) -prune -o -printf '%p %U:%G %m\\n' | grep -v '^/etc/\\.pwd' | sort
find / -xdev \\( -path /proc -o -path /sys -o -path /var/lib/vestal -o -path ${folder} \\) -prune -o \\( -user ${of.program} -o -perm /6000 -a ! -type d \\) -printf '%p %u %m\\n' | sort
grep -rl ${SECRET} ${folder} || :
find ${folder} ! -user ${of.program} -printf 'not its own: %p\\n'`,
  )

/** Whatever comes of a command under attack, it ends with its own report: done, failed, or refused. */
const reported = (words: readonly string[], { code, stderr, stdout }: Ended): number => {
  expect([0, 1, 2], `${words[0]}: ${stderr}${stdout}`).toContain(code)
  expect(stderr).not.toMatch(/bug in Vestal|node:internal/)
  return code ?? -1
}

test('a backup that a hostile machine has made is refused before any machine is touched', async () => {
  const [on] = LANES
  if (!on) throw new Error('there is no machine')
  const from = join(backups, 'hostile')
  cpSync(on.good, from, { recursive: true })
  const archive = join(from, 'one', 'prometheus.tar')
  const made = mkdtempSync(join(backups, 'made-'))
  execFileSync('sh', [
    '-euc',
    `mkdir "$1/wal"; cp /bin/true "$1/wal/00000008"; chmod 4755 "$1/wal/00000008"; mknod "$1/wal/00000009" c 1 3
ln -s /etc "$1/01HAAAAAAAAAAAAAAAAAAAAAAA"; tar --create --file="$2" --directory="$1" .`,
    ...['sh', made, archive],
  ])
  const manifest = join(from, 'one', 'manifest.json')
  const { parts, ...rest } = JSON.parse(readFileSync(manifest, 'utf8'))
  const files = [{ name: 'prometheus.tar', bytes: statSync(archive).size, sha256: await sha256Of(archive) }]
  writeFileSync(manifest, JSON.stringify({ ...rest, parts: [{ ...parts[0], files }] }))
  const running = 'systemctl show --property=InvocationID prometheus; find /var/lib/prometheus -maxdepth 1 | sort'
  const before = await onHost(on.address, running)
  const { code, stderr } = await vestal(['restore', '--yes', '--from', from, '-i', on.inventory])
  expect([code, await onHost(on.address, running)]).toEqual([2, before])
  for (const said of ['00000008" has the mode 4755', '00000009" is a CharacterDevice', 'AAA" is a SymbolicLink'])
    expect(stderr).toContain(said)
})

test(`gains nothing in ${ROUNDS} rounds of backup, restore, roll and rollback`, async () => {
  const ended: Record<string, number> = {}
  const round = async (on: Lane, number: number): Promise<void> => {
    const run = async (...words: readonly string[]): Promise<number> => {
      const code = reported(words, await vestal([...words, '-i', on.inventory]))
      const key = `${on.of.program}: ${words[0]} ${code}`
      ended[key] = (ended[key] ?? 0) + 1
      return code
    }
    const folder = join(backups, `round-${number}`)
    const before = await guarded(on)
    await attack(on, WAYS[number % WAYS.length] ?? 'swap')
    const codes = [
      await run('backup', '--to', folder),
      await run('restore', '--yes', '--from', existsSync(folder) && number % 3 === 0 ? folder : on.good),
      await run('rolling-upgrade', '-y', '--no-watch-alerts', '--allow-one-way', ...on.of.versions),
      await run('rollback', '-y', '--no-watch-alerts', '--restore-data'),
    ]
    await callOff(on)
    expect(await guarded(on), `round ${number}`).toEqual(before)
    const kept = existsSync(folder) ? execFileSync('sh', ['-c', `grep -rl ${SECRET} '${folder}' || :`]) : ''
    expect(kept.toString(), `round ${number}`).toBe('')
    rmSync(folder, { recursive: true, force: true })
    if (codes.some((code) => code !== 0)) await standing(on)
  }
  let number = 0
  await Promise.all(
    LANES.map(async (on) => {
      while (number < ROUNDS) await round(on, ++number)
    }),
  )
  console.log(JSON.stringify({ rounds: number, ended }))
  // An attack that let nothing through would show as little as one that never struck.
  if (ROUNDS >= 20)
    for (const program of ['prometheus', 'alertmanager'])
      for (const command of ['backup 0', 'backup 1', 'restore 0', 'rolling-upgrade 0', 'rollback 0'])
        expect(ended[`${program}: ${command}`], `${program}: ${command}`).toBeGreaterThan(0)
})
