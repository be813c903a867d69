/** What a fleet is and runs, to be held against what it was before something went wrong. */
import { expect } from 'vitest'
import { z } from 'zod'
import { changesOf, onHost, planOf, resetHost, vestal } from '../vestal.ts'
import { type Fleet, inventoryOf } from './fleet.ts'

export interface State {
  /** By host: every file, link and folder that a deploy has made, and each service's process. */
  readonly hosts: Readonly<Record<string, readonly string[]>>
  /** The configuration that the services say is in force, since when they run, and whether they took their last reload. */
  readonly inForce: string
  /** How often anybody has logged in, by host; looking once counts as one. */
  readonly logins: Readonly<Record<string, number>>
}

/**
 * Brings a fleet to what its usual inventory says, and returns that inventory's folder. Hosts with other releases start from
 * nothing: what a newer Prometheus has stored, an older one cannot read.
 */
export const standing = async (fleet: Fleet): Promise<string> => {
  const inventory = inventoryOf(fleet)
  const changes = Object.entries(changesOf(planOf(await vestal(['plan', '--json', '-i', inventory]))))
  const others = changes.filter(([, tasks]) => tasks.some((task) => task.startsWith('release ')))
  await Promise.all(others.map(([host]) => resetHost(fleet[host as keyof Fleet].address)))
  const { code, stdout, stderr } = await vestal(['deploy', '-i', inventory])
  expect(code, stdout + stderr).toBe(0)
  return inventory
}

export const stateOf = async ({ monitor, node }: Fleet): Promise<State> => {
  const [onMonitor, onNode, inForce] = await Promise.all([
    lookAt(monitor.address),
    lookAt(node.address),
    said(monitor.address),
  ])
  return {
    hosts: { monitor: onMonitor.lines, node: onNode.lines },
    inForce,
    logins: { monitor: onMonitor.logins, node: onNode.logins },
  }
}

/** The same of one machine, whatever runs there. */
export const lookAt = async (address: string): Promise<{ lines: readonly string[]; logins: number }> => {
  const [logins, ...lines] = (await onHost(address, 'sh -s', LOOK)).trimEnd().split('\n')
  return { lines, logins: Number(logins) }
}

/** Expects that nothing is different, and all still runs. */
export const expectUnharmed = (before: State, after: State): void => {
  expect(after.hosts).toEqual(before.hosts)
  expect(after.inForce).toBe(before.inForce)
}

/** Expects that nothing is different and nobody has even logged in, save for looking. */
export const expectUntouched = (before: State, after: State): void => {
  expectUnharmed(before, after)
  expect(after.logins).toEqual({ monitor: (before.logins.monitor ?? 0) + 1, node: (before.logins.node ?? 0) + 1 })
}

/** The same without what a restart changes: a process's id and its start. */
export const withoutRestarts = ({ hosts, inForce }: State): Omit<State, 'logins'> => ({
  hosts: Object.fromEntries(
    Object.entries(hosts).map(([host, lines]) => [
      host,
      lines.map((line) => line.replace(/ \d+( .* )[0-9a-f]{32}$/, '$1')),
    ]),
  ),
  inForce: inForce.replace(/"(startTime|lastConfigTime)":"[^"]*"/g, ''),
})

const LOOK = `
journalctl --sync
journalctl --quiet --unit=ssh --grep='^Accepted' --output=cat | wc -l
find /etc/prometheus /etc/alertmanager /etc/node_exporter /etc/systemd/system /opt/vestal /usr/local/bin \\
  \\( -type d -printf '%p %m %u:%g\\n' \\) -o -printf '%p %y %m %u:%g %s %T@ %l\\n' 2>/dev/null | sort
getent passwd | grep -e '^prometheus:' -e '^alertmanager:' -e '^node-exp:'
for name in prometheus alertmanager node_exporter; do
  echo "$name" $(systemctl show --property=ActiveState,UnitFileState,InvocationID,MainPID --value "$name")
done
`

const said = async (address: string): Promise<string> => {
  const prometheus = `http://${address}:9090/api/v1/status`
  const alertmanager = `http://${address}:9093`
  const { yaml } = CONFIG.parse(await json(`${prometheus}/config`)).data
  const runtime = RUNTIME.parse(await json(`${prometheus}/runtimeinfo`)).data
  const { original } = STATUS.parse(await json(`${alertmanager}/api/v2/status`)).config
  const metrics = await (await fetch(`${alertmanager}/metrics`)).text()
  const reload = /^alertmanager_config_last_reload_successful .*$/m.exec(metrics)?.[0]
  return [yaml, JSON.stringify(runtime), original, reload].join('\n')
}

const CONFIG = z.object({ data: z.object({ yaml: z.string() }) })
const RUNTIME = z.object({
  data: z.object({ startTime: z.string(), reloadConfigSuccess: z.boolean(), lastConfigTime: z.string() }),
})
const STATUS = z.object({ config: z.object({ original: z.string() }) })

const json = async (url: string): Promise<unknown> => (await fetch(url, { signal: AbortSignal.timeout(20_000) })).json()
