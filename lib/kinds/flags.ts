import { word, words } from '../shell.ts'

/**
 * Shell that fails, naming them, when flags are not in what `binary --help` prints, or the help of its subcommand: `--flag`, kingpin's `--[no-]flag`
 * (github.com/alecthomas/kingpin shows a boolean flag so since 2.4, and takes `--no-flag` for any), or Go's `-flag`.
 */
export const knowsFlags = (
  binary: string,
  flags: readonly string[],
  subcommand?: string,
): string => `help=$(${subcommand === undefined ? word(binary) : words([binary, subcommand])} --help 2>&1) || :
unknown=
while IFS= read -r flag; do
  name=\${flag#--}
  name=\${name#-}
  positive=\${name#no-}
  found=
  for one in "--$name" "--[no-]$name" "--$positive" "--[no-]$positive" "-$name"; do
    case "
$help " in *[!A-Za-z0-9.-]"$one"[!A-Za-z0-9.-]*) found=yes ;; esac
  done
  [ -n "$found" ] || unknown="$unknown $flag"
done <<'VESTAL_FLAGS'
${flags.map((flag) => flag.replace(/[=\s].*$/s, '')).join('\n')}
VESTAL_FLAGS
if [ -n "$unknown" ]; then
  printf '%s does not know%s\\n' ${word(binary)} "$unknown" >&2
  exit 1
fi`
