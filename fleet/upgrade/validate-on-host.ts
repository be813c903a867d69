import type { FileData } from '../../lib/kinds/file.ts'
import { fileKind } from '../../lib/kinds/file.ts'
import { knowsFlags } from '../../lib/kinds/flags.ts'
import { type UnitData, unitKind } from '../../lib/kinds/unit.ts'
import type { Gate, Host, Inventory, PlayScope, Role, Task } from '../../lib/model.ts'
import { taskId } from '../../lib/model.ts'
import { rolesOn, scopeOf } from '../../lib/playbook.ts'
import { bytesOf } from '../../lib/secret.ts'

/** Asked of every host of a play, staged or not. */
export const newVersionsAccept =
  (roles: readonly Role[]) =>
  ({ hosts, inventory }: PlayScope): readonly Gate[] =>
    hosts.map((host) => newVersionAccepts(host, roles, inventory))

/**
 * Every file and every flag that these roles will give a program is tried on the host with the staged version's own tools, without being put in
 * place. Asked before the first restart, so that a config that the new version rejects stops a roll before it has begun.
 */
const newVersionAccepts = (host: Host, roles: readonly Role[], inventory: Inventory): Gate => ({
  name: 'the new version accepts its files and flags',
  host: host.name,
  within: '0s',
  async ask(reach) {
    const tasks = rolesOn(host, roles).flatMap((one) => one.tasks(scopeOf(one, host, inventory)))
    const trials = tasks.flatMap(trialOf)
    if (trials.length === 0) return { pass: true }
    const answer = await (await reach(host)).exec(trials.map(({ script }) => script).join('\n'))
    if (answer.code === 0) return { pass: true, detail: `${trials.length} checked` }
    return { pass: false, final: true, why: answer.stdout.toString().trim() || answer.stderr.trim() }
  },
})

interface Trial {
  readonly script: string
}

const trialOf = (task: Task): readonly Trial[] => {
  if (task.kind.name === fileKind.name) {
    const { content, validate } = task.data as FileData
    if (validate === undefined || content === undefined || task.desired === null) return []
    return [{ script: tried(taskId(task), `set -- "$trial"\n${validate}`, bytesOf(content)) }]
  }
  const flags = task.kind.name === unitKind.name ? (task.data as UnitData).flagsOf : undefined
  return flags ? [{ script: tried(taskId(task), knowsFlags(flags.binary, flags.flags, flags.subcommand)) }] : []
}

/** The trial lies beside nothing that a program reads; its name ends as the file's does not, which the tools do not mind. */
const tried = (what: string, check: string, content?: Buffer): string => `(
umask 077
trial=$(mktemp) || exit 1
trap 'rm -f "$trial"' EXIT
base64 -d >"$trial" <<'VESTAL_TRIAL'
${(content ?? Buffer.alloc(0)).toString('base64').replaceAll(/.{1,76}/g, '$&\n')}VESTAL_TRIAL
said=$( ( ${check}
) 2>&1 </dev/null ) || { printf '%s: %s\\n' '${what.replaceAll("'", '')}' "$(printf '%s' "$said" | tail -n 3)"; exit 1; }
) || exit 1`
