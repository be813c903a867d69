import { word } from '../../lib/shell.ts'

interface Request {
  readonly address?: string
  readonly port: number
  readonly path: string
  readonly accept?: string
  /** Sent as a form, by POST: shell words, such as `"forget=$id"`. */
  readonly form?: string
}

/**
 * POSIX sh that asks a web server from the host itself and prints the answer, headers and all: for what is too large for the link. Of HTTP/1.0,
 * so that it comes in one piece. bash is what opens the connection: no machine needs curl for it.
 */
export const askOnHost = ({ address = '127.0.0.1', port, path, accept = '*/*', form }: Request): string => {
  const words = [word(address), String(port), word(path), word(accept), form ?? "''"].join(' ')
  return `timeout 60 bash -c '
exec 3<>"/dev/tcp/$0/$1" || exit 1
method=GET
type=
if [ -n "$4" ]; then method=POST type=$(printf "Content-Type: application/x-www-form-urlencoded\\r\\nContent-Length: %s\\r\\n." "\${#4}"); fi
printf "%s %s HTTP/1.0\\r\\nHost: localhost\\r\\nAccept: %s\\r\\n%s\\r\\n%s" "$method" "$2" "$3" "\${type%.}" "$4" >&3
cat <&3' ${words}`
}
