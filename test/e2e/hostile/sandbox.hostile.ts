/**
 * What the units of all roles forbid, tried on a machine by a process of the same account under the same settings; how exposed systemd says that they
 * are; and that node_exporter sees the whole machine all the same.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderedUnits } from '../../unit/roles/rendered-units.ts'
import { deploy, SPARE } from '../deploy/fleet.ts'
import { inventoryOf } from '../deploy/inventories.ts'
import { onHost } from '../vestal.ts'

const TRY = '/usr/local/lib/vestal-try.py'
const OPEN = '/srv/vestal-try-open'
const units = await renderedUnits()
const userOf = (unit: string): string => /^User=(.*)$/m.exec(unit)?.[1] ?? ''
const writesOf = (unit: string): string => /^ReadWritePaths=(\S*)/m.exec(unit)?.[1] ?? ''

/** The unit with another command, which may write to the folder `writes` as the service's own command may. */
const tried = (unit: string, folder: string): string =>
  unit
    .replaceAll(/^ExecStart=(?:.*\\\n)*.*\n/gm, `ExecStart=/usr/bin/python3 ${TRY} ${folder}\n`)
    .replaceAll(
      /^(?:Exec(?:StartPre|Reload)|EnvironmentFile|Type|Restart|RestartSec|WantedBy|PartOf|Wants|MemoryMax)=.*\n/gm,
      '',
    )
    .replace('[Service]\n', '[Service]\nType=oneshot\nRemainAfterExit=yes\nStandardOutput=journal\n')
/** Only what says who runs it. */
const open = (unit: string): string =>
  `[Service]\nType=oneshot\nRemainAfterExit=yes\nUser=${userOf(unit)}\nExecStart=/usr/bin/python3 ${TRY} ${OPEN}\n`

const CLEAN = `cd /run/systemd/system && rm -f vestal-try-*; systemctl daemon-reload; rm -rf ${OPEN} ${TRY} /usr/local/bin/vestal-try-id`

/** What a process of this unit could do, in words. */
const couldDo = async (name: string, unit: string): Promise<readonly string[]> => {
  await onHost(SPARE, `cat >/run/systemd/system/${name} && systemctl daemon-reload`, unit)
  const said = await onHost(
    SPARE,
    `systemctl restart ${name} && journalctl --sync && journalctl -o cat --no-pager _SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID ${name})`,
  )
  return said.split('\n').filter((line) => /^[a-z-]+$/.test(line))
}

beforeAll(async () => {
  const users = [...new Set([...units.values()].map(userOf))]
  const folders = [...units.values()]
    .filter((unit) => writesOf(unit) !== '')
    .map((unit) => [writesOf(unit), userOf(unit)])
  await onHost(
    SPARE,
    `sh -s`,
    `set -e
for user in ${users.join(' ')}; do getent passwd $user >/dev/null || useradd --system --user-group --no-create-home $user; done
install -d -m 1777 ${OPEN}
install -m 4755 /usr/bin/id /usr/local/bin/vestal-try-id
${folders.map(([folder, user]) => `install -d -o ${user} -g ${user} ${folder}`).join('\n')}`,
  )
  await onHost(SPARE, `cat >${TRY}`, readFileSync(join(import.meta.dirname, 'sandbox-try.py'), 'utf8'))
})
afterAll(() => onHost(SPARE, CLEAN))

test('without a unit of ours, an account can do all of what is tried', async () => {
  const unit = open(units.get('prometheus.service') ?? '')
  expect(await couldDo('vestal-try-open.service', unit)).toEqual([
    ...['own-folder', 'outside', 'memory', 'program', 'library', 'account', 'namespace'],
  ])
})

describe.each([...units])('%s', (name, unit) => {
  test('can write to its own folders, and do nothing else of it', async () => {
    const folder = writesOf(unit)
    expect(await couldDo(`vestal-try-${name}`, tried(unit, folder || OPEN))).toEqual(folder ? ['own-folder'] : [])
  })

  test('is as little exposed as systemd can say', async () => {
    const said = await onHost(SPARE, `systemd-analyze security --no-pager vestal-try-${name} | tail -1`)
    const figure = Number(/: ([\d.]+)/.exec(said)?.[1])
    console.log(`exposure of ${name}: ${figure}`)
    expect(figure).toBeGreaterThan(0)
    expect(figure).toBeLessThanOrEqual(2.5)
  })
})

test('node_exporter shows all that it shows without its unit’s restrictions', async () => {
  const inventory = inventoryOf({
    'hosts.yml': {
      all: {
        vars: { node_exporter: { version: '1.11.1' } },
        children: { node_exporter: { hosts: { spare: { ansible_host: SPARE } } } },
      },
    },
  })
  await deploy('-i', inventory)
  const ours = units.get('node_exporter.service') ?? ''
  const without = ours
    .split('\n')
    .filter(
      (line) =>
        !/^(?:Protect|Private|Restrict|Lock|Memory|Cap|Ambient|NoNew|NoExec|System|Device|Remove|UMask)/.test(line),
    )
    .join('\n')
    .replace(':9100', ':9101')
  await onHost(SPARE, 'cat >/run/systemd/system/vestal-try-node.service && systemctl daemon-reload', without)
  await onHost(SPARE, 'systemctl start vestal-try-node')
  try {
    await expect.poll(() => seriesAt(9101).catch(() => []), { timeout: 10_000 }).not.toEqual([])
    expect(await seriesAt(9100)).toEqual(await seriesAt(9101))
  } finally {
    await onHost(SPARE, 'systemctl stop vestal-try-node node_exporter')
  }
})

/** Names and labels of what is shown of the machine, and the values that its mounts and collectors have. */
const seriesAt = async (port: number): Promise<readonly string[]> => {
  const answer = await fetch(`http://${SPARE}:${port}/metrics`, { signal: AbortSignal.timeout(10_000) })
  return (await answer.text())
    .split('\n')
    .filter((line) => /^node_/.test(line))
    .map((line) =>
      /^node_(?:filesystem_(?:readonly|size_bytes|device_error)|scrape_collector_success|boot_time)/.test(line)
        ? line
        : line.replace(/ [^ ]*$/, ''),
    )
    .sort()
}
