/** A service's account that tries to become root, or to read what only root may, whenever Vestal works in its data folder. It gains nothing. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADDRESSES, deploy, hostsOf } from '../deploy/fleet.ts'
import { inventoryOf } from '../deploy/inventories.ts'
import { type Ended, onHost, resetHost, vestal } from '../vestal.ts'

const ROUNDS = Number(process.env.VESTAL_ROUNDS ?? 50)
const FLEET = ['prom-1', 'prom-2', 'am-1', 'am-2'] as const
const ATTACKED = ['prom-1', 'am-1'] as const
type Attacked = (typeof ATTACKED)[number]

const NAMES: Readonly<Record<Attacked, readonly string[]>> = {
  'prom-1': [
    ...['.vestal-backup', '.vestal-backup/wal', '.vestal-backup/wbl'],
    ...['.vestal-restore', '.vestal-restore.tar', '.vestal-restore.half'],
    ...['.vestal-before-restore', '.vestal-before-restore.part'],
    ...['snapshots', 'snapshots/.vestal-new', 'snapshots/.vestal-new/wal', 'snapshots/vestal-2.53.3'],
    ...['snapshots/vestal-3.5.3', 'snapshots/vestal-3.5.3.new'],
  ],
  'am-1': [
    '.vestal-backup',
    '.vestal-restore',
    '.vestal-before-restore.part',
    '.vestal-before-restore',
    'silences',
    'nflog',
  ],
}
const folderOf = (name: Attacked): string => (name === 'prom-1' ? '/var/lib/prometheus' : '/var/lib/alertmanager')
const accountOf = (name: Attacked): string => (name === 'prom-1' ? 'prometheus' : 'alertmanager')
/** How likely each thing that appears is struck, round by round. */
const CHANCES = [0.5, 0.2, 0.05, 0.02]
const SECRET = 'only-root-may-read-this'
const limit = ['--limit', ATTACKED.join(',')]

const inventory = (): string =>
  inventoryOf({
    'hosts.yml': {
      all: {
        children: {
          prometheus: { hosts: hostsOf(['prom-1', 'prom-2']) },
          alertmanager: { hosts: hostsOf(['am-1', 'am-2']) },
        },
      },
    },
    'group_vars/prometheus.yml': { prometheus: { version: '2.53.3', cluster: 'lab', scrape_interval: '5s' } },
    'group_vars/alertmanager.yml': {
      alertmanager: {
        version: '0.28.1',
        cluster: { peer_timeout: '5s' },
        config: { route: { receiver: 'nobody' }, receivers: [{ name: 'nobody' }] },
      },
    },
  })
let fleet = inventory()
const backups = mkdtempSync(join(tmpdir(), 'vestal-hostile-'))
const good = join(backups, 'good')

/** Root's own things, and all of the account's outside of where it may have some: what must not change, save what a roll itself installs. */
const GUARDED = `find /etc /root /usr/local/sbin /usr/bin /usr/sbin /var/spool /var/lib/vestal-guard -xdev \\( -path /etc/systemd -o -path /etc/prometheus -o -path /etc/alertmanager \\) -prune -o -printf '%p %U:%G %m\\n' | grep -v '^/etc/\\.pwd' | sort
find / -xdev \\( -path /proc -o -path /sys -o -path /var/lib/prometheus -o -path /var/lib/alertmanager \\) -prune -o \\( -user prometheus -o -user alertmanager -o -perm /6000 -a ! -type d \\) -printf '%p %u %m\\n' | sort`
const guarded = async (): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    await Promise.all(ATTACKED.map(async (name) => [name, await onHost(ADDRESSES[name], GUARDED)] as const)),
  )

const attack = (name: Attacked, chance: number): Promise<string> =>
  onHost(
    ADDRESSES[name],
    `cat >/run/plant.pl; setsid setpriv --reuid=${accountOf(name)} --regid=${accountOf(name)} --clear-groups perl /run/plant.pl ${folderOf(name)} /etc,/var/lib/vestal-guard ${chance} ${NAMES[name].join(' ')} >/dev/null 2>&1 </dev/null & echo $! >/run/plant.pid`,
    readFileSync(join(import.meta.dirname, 'plant.pl'), 'utf8'),
  )
const callOff = (name: Attacked): Promise<string> =>
  onHost(
    ADDRESSES[name],
    `if [ -e /run/plant.pid ]; then kill $(cat /run/plant.pid) 2>/dev/null; rm /run/plant.pid; fi; rm -rf ${folderOf(name)}/.vestal-grave; exit 0`,
  )

const standing = async (): Promise<void> => {
  fleet = inventory()
  await Promise.all(FLEET.map((name) => resetHost(ADDRESSES[name])))
  await deploy('-i', fleet)
}

beforeAll(async () => {
  for (const name of ATTACKED)
    await onHost(
      ADDRESSES[name],
      `mkdir -p -m 0700 /var/lib/vestal-guard; echo ${SECRET} >/var/lib/vestal-guard/00000001; chmod 600 /var/lib/vestal-guard/00000001`,
    )
  await standing()
  expect(await vestal(['backup', '-i', fleet, '--to', good, ...limit])).toMatchObject({ code: 0 })
})
afterAll(async () => {
  for (const name of ATTACKED) await callOff(name)
  for (const name of ATTACKED) await onHost(ADDRESSES[name], 'rm -rf /var/lib/vestal-guard')
  rmSync(backups, { recursive: true, force: true })
})

/** Whatever comes of a command under attack, it ends with its own report: done, failed, or refused. */
const reported = (words: readonly string[], { code, stderr, stdout }: Ended): number => {
  expect([0, 1, 2], `${words[0]}: ${stderr}${stdout}`).toContain(code)
  expect(stderr).not.toMatch(/bug in Vestal|node:internal/)
  return code ?? -1
}

test(`gains nothing in ${ROUNDS} rounds of backup, restore, roll and rollback`, async () => {
  const ended: Record<string, number> = {}
  const run = async (...words: readonly string[]): Promise<number> => {
    const code = reported(words, await vestal([...words, '-i', fleet, ...limit]))
    const key = `${words[0]} ${code}`
    ended[key] = (ended[key] ?? 0) + 1
    return code
  }
  for (let round = 1; round <= ROUNDS; round++) {
    const before = await guarded()
    for (const name of ATTACKED) await attack(name, CHANCES[round % CHANCES.length] ?? 1)
    const folder = join(backups, `round-${round}`)
    const codes = [
      await run('backup', '--to', folder),
      await run('restore', '--yes', '--from', existsSync(folder) && round % 2 === 0 ? folder : good),
      await run(
        ...['rolling-upgrade', '-y', '--no-watch-alerts', '--allow-one-way'],
        ...['--prometheus', '3.5.3', '--alertmanager', '0.33.1'],
      ),
      await run('rollback', '-y', '--no-watch-alerts', '--restore-data'),
    ]
    for (const name of ATTACKED) await callOff(name)
    expect(await guarded(), `round ${round}`).toEqual(before)
    for (const name of ATTACKED)
      expect(await onHost(ADDRESSES[name], `grep -rl ${SECRET} ${folderOf(name)} || :`), `round ${round}`).toBe('')
    if (existsSync(folder)) {
      expect(execFileSync('sh', ['-c', `grep -rl ${SECRET} '${folder}' || :`]).toString()).toBe('')
      rmSync(folder, { recursive: true })
    }
    if (codes.some((code) => code !== 0)) await standing()
  }
  console.log(JSON.stringify({ rounds: ROUNDS, ended }))
  // An attack that let nothing through would show as little as one that never struck.
  if (ROUNDS >= 10) for (const key of ['backup 0', 'backup 1', 'restore 0']) expect(ended[key]).toBeGreaterThan(0)
})
