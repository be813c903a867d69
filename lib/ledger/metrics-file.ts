import { PassThrough } from 'node:stream'
import { asOwner } from '../as-owner.ts'
import { HostError } from '../errors.ts'
import type { Reach } from '../model.ts'
import { word } from '../shell.ts'
import type { TextfileHost } from './fleet.ts'
import { type KeptLink, keepLink } from './kept-link.ts'

/** The file of canary metrics on some machines. */
export interface MetricsFile extends AsyncDisposable {
  readonly links: readonly KeptLink[]
  /** Writes it anew on every machine that is reached; `written` is called when the first of them has it. */
  write(text: string, written: () => void): void
}
interface Where {
  readonly run: string
  readonly machines: readonly TextfileHost[]
  readonly connect: Reach
}

/**
 * Keeps a file for the textfile collector on each machine, by one script that stays: it writes what it is given, and removes the file when
 * its input ends, as it does when the controller is killed or the link breaks. Files that killed runs left all the same are removed first.
 */
export const metricsFile = ({ run, machines, connect }: Where): MetricsFile => {
  const inputs = new Set<PassThrough>()
  let latest = { number: 0, text: '' }
  const waiting = new Map<number, () => void>()
  const heard = (number: number): void => {
    for (const [one, call] of waiting) {
      if (one > number) continue
      waiting.delete(one)
      call()
    }
  }
  const links = machines.map(({ host, folder }) =>
    keepLink(host, {
      connect,
      async use(connection, { up, over }) {
        const input = new PassThrough()
        over.addEventListener('abort', () => input.end(), { once: true })
        let said = ''
        const onStdout = (chunk: Buffer): void => {
          const lines = (said + chunk).split('\n')
          // A line has a number at most.
          said = (lines.pop() ?? '').slice(0, 100)
          for (const line of lines) {
            if (line === 'ready') {
              inputs.add(input)
              input.write(message(latest))
              up()
            } else heard(Number(line))
          }
        }
        try {
          const { code, stderr } = await connection.exec(asOwner(folder, script(run)), {
            stdin: input,
            onStdout,
            keepStdout: false,
          })
          if (code !== 0) throw new HostError(host.name, stderr.trim() || `the script in ${folder} ended with ${code}`)
        } finally {
          inputs.delete(input)
        }
      },
    }),
  )
  return {
    links,
    write(text, written) {
      latest = { number: latest.number + 1, text }
      waiting.set(latest.number, written)
      for (const input of inputs) input.write(message(latest))
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(links.map((link) => link[Symbol.asyncDispose]()))
    },
  }
}

const message = ({ number, text }: { readonly number: number; readonly text: string }): string => `${text}.${number}\n`

/** Inside the folder, as its owner. */
const script = (run: string): string => `
find . -maxdepth 1 -name 'vestal-canary-*' -mmin +2 -delete
file=${word(`vestal-canary-${run}.prom`)}
trap 'rm -f "$file" "$file.new"' EXIT
trap 'exit 0' HUP INT TERM
: >"$file.new" || exit 1
echo ready
while IFS= read -r line; do
  case $line in
    .*) mv -f "$file.new" "$file" && : >"$file.new" && echo "\${line#.}" || exit 1 ;;
    *) printf '%s\\n' "$line" >>"$file.new" ;;
  esac
done
`
