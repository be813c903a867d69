/** Work in a folder that a service's account owns is done as that account: whatever it puts there meanwhile, it gains nothing by it. */
import { word } from './shell.ts'

/**
 * POSIX sh that runs a script inside a folder, as the folder's owner: its only group is the folder's, it has no capabilities and can get no
 * new privileges (setpriv(1); prctl(2), PR_SET_NO_NEW_PRIVS), and no open file or variable of the caller but standard input and output. So a
 * link that the account plants leads where the account could go itself. Where the owner is who runs it, such as root, nothing is changed.
 * Ends with the script's code; with 1, its reason on standard error, where the folder is not there or the account can't be taken. `args` are
 * words of the calling shell, which the script has as `$1` and on.
 */
export const asOwner = (folder: string, script: string, args: readonly string[] = []): string => {
  const inside = ['sh', '-c', word(`cd -- "$0" || exit 1\n${script}`), word(folder), ...args].join(' ')
  return `(
owner=$(stat -L -c %u:%g -- ${word(folder)}) || exit 1
if ! [ -d ${word(folder)} ]; then printf '%s is no folder\\n' ${word(folder)} >&2; exit 1; fi
if [ "\${owner%%:*}" = "$(id -u)" ]; then exec ${inside}; fi
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
cd /
exec env -i PATH="$PATH" LC_ALL=C setpriv --reuid="\${owner%%:*}" --regid="\${owner##*:}" --clear-groups --inh-caps=-all --no-new-privs -- ${inside}
)`
}
