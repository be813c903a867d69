import type { Reach, Scope } from '../../lib/model.ts'
import type { AlertmanagerVars } from './vars.ts'

/** The gossip label that Alertmanager's process was given, '' for none; undefined where none runs. */
export const runningLabel = async (
  { host }: Scope<AlertmanagerVars>,
  { reach }: { readonly reach: Reach },
): Promise<{ readonly label?: string }> => {
  const { stdout } = await (await reach(host)).exec(LOOK)
  const [line] = stdout.toString().split('\n')
  return line?.startsWith('label=') ? { label: line.slice('label='.length, 1_000) } : {}
}

const LOOK = `pid=$(systemctl show -P MainPID alertmanager 2>/dev/null)
if [ "\${pid:-0}" != 0 ]; then printf 'label=%s\\n' "$(tr '\\0' '\\n' <"/proc/$pid/cmdline" | sed -n 's/^--cluster\\.label=//p')"; fi
exit 0`
