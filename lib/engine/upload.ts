import { createReadStream } from 'node:fs'
import { HostError } from '../errors.ts'
import { STATE, UPLOADS } from '../host-paths.ts'
import type { Connection, Upload } from '../model.ts'
import { uploadPath } from '../model.ts'
import { word } from '../shell.ts'
import { LOCKED, type LockRequest, lockedError, lockFunctions, takeLock } from './lock.ts'

export interface UploadOptions {
  readonly lock: LockRequest
  readonly signal?: AbortSignal
  onProgress?(sent: number, of: number): void
}

/**
 * Takes the host's lock and streams a large file to where steps look for it, on an exec of its own. It appears there only when all
 * of it has arrived. Throws HostError when the host is locked, has no room, or the file comes out with another length.
 */
export const sendUpload = async (connection: Connection, upload: Upload, options: UploadOptions): Promise<void> => {
  const { path, bytes } = await upload.ready(options.signal)
  const target = uploadPath(upload.sha256)
  const stream = createReadStream(path, { highWaterMark: 256 * 1024 })
  let sent = 0
  stream.on('data', (chunk) => {
    sent += chunk.length
    options.onProgress?.(sent, bytes)
  })
  const answer = await connection.exec(receiveScript(target, bytes, options.lock), {
    stdin: stream,
    signal: options.signal,
  })
  if (answer.code === LOCKED) throw lockedError(connection.host.name, answer.stdout.toString())
  if (answer.code !== 0) {
    throw new HostError(
      connection.host.name,
      `${upload.title} could not be stored: ${answer.stderr.trim() || answer.stdout.toString().trim()}`,
      {
        task: `upload ${upload.title}`,
        hint: `Look at the free space below ${STATE} on the host.`,
      },
    )
  }
}

/** With the lock, because a killed run's script may still be at work, and clears away what was sent when it ends. */
const receiveScript = (target: string, bytes: number, lock: LockRequest): string => `${lockFunctions}
${takeLock(lock)}
mkdir -p -m 0700 ${STATE} ${UPLOADS} || exit 1
vestal_part=${word(target)}.part.$$
trap 'rm -f "$vestal_part"' EXIT
trap 'exit 1' HUP INT TERM PIPE
cat >"$vestal_part" || exit 1
if [ "$(stat -c %s "$vestal_part")" != ${bytes} ]; then printf 'only %s of ${bytes} bytes arrived\\n' "$(stat -c %s "$vestal_part")" >&2; exit 1; fi
mv -f "$vestal_part" ${word(target)}`
