import { answered } from '../../lib/answered.ts'
import type { Reach, Scope } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { stateBytesOf } from './state-size.ts'
import type { AlertmanagerVars } from './vars.ts'

/** What is known of an Alertmanager that runs. */
export type RunningMember = Readonly<{
  /** The gossip label that its process was given, '' for none; undefined where none runs. */
  label?: string
  /** How large its whole state is; undefined where it doesn't say. */
  stateBytes?: number
}>

/** What an upgrade of it must know beside files and flags. */
export const runningMember = async (
  { host, vars }: Scope<AlertmanagerVars>,
  { reach }: { readonly reach: Reach },
): Promise<RunningMember> => {
  const { stdout } = await (await reach(host)).exec(LOOK)
  const [line] = stdout.toString().split('\n')
  if (!line?.startsWith('label=')) return {}
  // A member that is down for the moment is left to the gates.
  const stateBytes = await answered(() => stateBytesOf(reach, endpointOf(host, vars)))
  return { label: line.slice('label='.length, 1_000), ...(stateBytes !== null && { stateBytes }) }
}

const LOOK = `pid=$(systemctl show -P MainPID alertmanager 2>/dev/null)
if [ "\${pid:-0}" != 0 ]; then printf 'label=%s\\n' "$(tr '\\0' '\\n' <"/proc/$pid/cmdline" | sed -n 's/^--cluster\\.label=//p')"; fi
exit 0`
