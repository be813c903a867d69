import { isIP } from 'node:net'
import type { Endpoint } from '../../lib/api/endpoint.ts'
import { AUTHORITY } from '../../lib/program/certified.ts'
import { joined } from '../../lib/program/web.ts'
import { word } from '../../lib/shell.ts'

interface Request {
  readonly path: string
  readonly accept?: string
  /** Sent as a form, by POST: shell words, such as `"forget=$id"`. */
  readonly form?: string
}

/**
 * POSIX sh that asks a web server from the host itself and prints the answer, headers and all: for what is too large for the link. Of HTTP/1.0,
 * so that it comes in one piece. bash is what opens the connection: no machine needs curl for it. Where the port speaks TLS, as a Go server says that is asked
 * without (net/http `server.go`), it is asked by openssl, which verifies where the endpoint is trusted, and else sends nothing.
 */
export const askOnHost = (
  { address = '127.0.0.1', port, trust }: Pick<Endpoint, 'address' | 'port' | 'trust'>,
  { path, accept = '*/*', form }: Request,
): string => {
  const words = [word(address), String(port), word(path), word(accept), form ?? "''", word(joined(address, port))]
  const verified = trust ? ['-CAfile', AUTHORITY, isIP(trust.name) ? '-verify_ip' : '-verify_hostname', trust.name] : []
  const verifying = ['-no-CApath', '-no-CAstore', '-verify_return_error', ...verified].map(word)
  return `timeout 60 bash -c '
method=GET
type=
if [ -n "$4" ]; then method=POST type=$(printf "Content-Type: application/x-www-form-urlencoded\\r\\nContent-Length: %s\\r\\n." "\${#4}"); fi
request=$(printf "%s %s HTTP/1.0\\r\\nHost: localhost\\r\\nAccept: %s\\r\\n%s\\r\\n%s." "$method" "$2" "$3" "\${type%.}" "$4")
exec 3<>"/dev/tcp/$0/$1" || exit 1
printf "GET /ready HTTP/1.0\\r\\n\\r\\n" >&3
if head -c 300 <&3 | grep -q "to an HTTPS server"; then
  place=$5
  shift 5
  printf %s "\${request%.}" | openssl s_client -quiet -noservername -connect "$place" "$@" 2>/dev/null
else
  exec 3<>"/dev/tcp/$0/$1" || exit 1
  printf %s "\${request%.}" >&3
  cat <&3
fi' ${[...words, ...(trust ? verifying : [])].join(' ')}`
}
