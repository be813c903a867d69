import { LAST_RUN } from '../host-paths.ts'
import type { Facts, Host, Lock } from '../model.ts'

/** Shell that prints the facts as `name=value` lines. Needs `lockFunctions` before it. Three forks. */
export const factsProbe = `if [ -r /etc/os-release ]; then . /etc/os-release; fi
printf 'os=%s %s\\n' "\${ID-unknown}" "\${VERSION_ID-\${VERSION_CODENAME-}}"
printf 'arch=%s\\n' "$(uname -m)"
IFS= read -r vestal_boot </proc/sys/kernel/random/boot_id && printf 'boot=%s\\n' "$vestal_boot"
if [ -d /run/systemd/system ]; then systemctl --version | { read -r _ vestal_version _; printf 'systemd=%s\\n' "$vestal_version"; }; fi
if [ -r ${LAST_RUN} ]; then IFS= read -r vestal_last <${LAST_RUN}; printf 'last=%s\\n' "$vestal_last"; fi
if vestal_lock_held; then printf 'lock=%s\\n' "$vestal_lock_run" "$vestal_lock_since" "$vestal_lock_owner"; fi
printf 'clock=%s\\n' "$(date +%s%N)"`

const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['aarch64', 'arm64'],
  ['armv7l', 'armv7'],
])
/** No fact is longer. */
const LONGEST = 1_000

/**
 * Reads what `factsProbe` printed. `sentAt` and `receivedAt` are the controller's clock, in milliseconds. Throws an Error for what no
 * host would say.
 */
export const parseFacts = (stdout: Buffer, sentAt: number, receivedAt: number): Facts => {
  const values = Map.groupBy(
    stdout
      .toString()
      .split('\n')
      .filter((line) => line.includes('=')),
    (line) => line.slice(0, line.indexOf('=')),
  )
  const all = (name: string): readonly string[] => (values.get(name) ?? []).map((line) => line.slice(name.length + 1))
  const one = (name: string): string => {
    const value = all(name)[0] ?? ''
    if (value.length > LONGEST) throw new Error(`its ${name} is ${value.length} characters long`)
    return value
  }
  const clock = one('clock')
  if (!/^\d{1,30}$/.test(clock)) throw new Error(`its clock says ${JSON.stringify(clock)}, which is no number`)
  const [run, since, owner] = all('lock')
  const lock: Lock | null = run && since && owner !== undefined ? { run, since, owner } : null
  return {
    os: one('os').trim(),
    arch: ARCHITECTURES.get(one('arch')) ?? one('arch'),
    bootId: one('boot'),
    systemd: Math.max(0, Number.parseInt(one('systemd'), 10) || 0),
    clockSkewMs: Math.round(Number(BigInt(clock) / 1_000_000n) - (sentAt + receivedAt) / 2),
    lastRun: one('last'),
    lock,
  }
}

/** Below this, `systemctl show` gives no times with microseconds, on which knowing what a process has loaded rests. */
export const OLDEST_SYSTEMD = 247

/** How a host's processor is another than the inventory says; null where it isn't. */
export const archMistake = ({ machine }: Pick<Host, 'machine'>, { arch }: Facts): string | null =>
  arch === machine.arch ? null : `its architecture is ${arch}, the inventory says ${machine.arch}`

/** Why a host's systemd cannot keep services; null where it can. */
export const systemdMistake = ({ systemd }: Facts): string | null => {
  if (systemd >= OLDEST_SYSTEMD) return null
  return systemd === 0 ? 'systemd does not run there' : `it has systemd ${systemd}`
}
