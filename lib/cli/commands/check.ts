import pLimit from 'p-limit'
import deploy from '../../../playbooks/deploy.ts'
import { connectionPool } from '../../engine/pool.ts'
import { readHost } from '../../engine/read.ts'
import { HostError } from '../../errors.ts'
import type { Facts, Host, Reach } from '../../model.ts'
import { rolesOf } from '../../playbook.ts'
import { paint } from '../../report/paint.ts'
import { connecting } from '../connecting.ts'
import { inLab, openInventory } from '../open-inventory.ts'
import type { CommonFlags } from '../options.ts'

/** Clocks further apart than this make silences and `for:` durations come out wrong. */
const LARGEST_SKEW_MS = 5_000

interface Finding {
  readonly host: string
  readonly what: string
  readonly fix: string
}

/** Reaches every host, becomes root, and reads its facts; changes nothing. Exit code 1 with findings. */
export const check = async (flags: CommonFlags): Promise<number> => {
  const { inventory, hosts } = await openInventory(flags, rolesOf(deploy))
  const inside = await inLab(hosts)
  if (inside !== null) return inside
  await using pool = connectionPool(connecting(flags))
  const limit = pLimit(flags.forks)
  const findings = (await Promise.all(hosts.map((host) => limit(() => look(host, pool.reach))))).flat()
  if (flags.json)
    process.stdout.write(
      `${JSON.stringify({ vestal: 'check/1', inventory: inventory.name, hosts: hosts.length, findings }, null, 2)}\n`,
    )
  else for (const { host, what, fix } of findings) process.stdout.write(`${paint('red', host)}: ${what}\n  ${fix}\n`)
  if (!flags.json) process.stdout.write(`${hosts.length} hosts looked at, ${findings.length} findings\n`)
  return findings.length > 0 ? 1 : 0
}

const look = async (host: Host, reach: Reach): Promise<readonly Finding[]> => {
  try {
    const { facts } = await readHost(await reach(host), [])
    return fromFacts(host.name, facts)
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return [{ host: host.name, what: error.message, fix: error.hint ?? 'See the message above.' }]
  }
}

const fromFacts = (host: string, facts: Facts): readonly Finding[] => [
  ...(Math.abs(facts.clockSkewMs) > LARGEST_SKEW_MS
    ? [
        {
          host,
          what: `its clock is ${(facts.clockSkewMs / 1000).toFixed(1)} s away from this machine's`,
          fix: 'Run an NTP client on both: silences are resolved by their timestamps.',
        },
      ]
    : []),
  ...(facts.systemd === 0 ? [{ host, what: 'systemd does not run there', fix: 'Services need it as PID 1.' }] : []),
  ...(facts.lock
    ? [
        {
          host,
          what: `locked by ${facts.lock.owner} since ${facts.lock.since} (run ${facts.lock.run})`,
          fix: 'Wait for that run to end.',
        },
      ]
    : []),
]
