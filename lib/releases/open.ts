import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { InputError } from '../errors.ts'
import { fetchThroughProxy } from './proxy.ts'
import type { Source } from './source.ts'

const ATTEMPTS = 3

/**
 * The bytes at a source. Throws InputError when there is nothing or it cannot be reached; a server's passing troubles
 * (a lost connection, 429, 5xx) are tried three times.
 */
export const openSource = async (source: Source, what: string, signal?: AbortSignal): Promise<Readable> =>
  source.via === 'file' ? openFile(source, what) : openUrl(source, what, signal)

/** A source's text. Throws as `openSource` does. */
export const readSource = async (source: Source, what: string, signal?: AbortSignal): Promise<string> => {
  const pieces: Buffer[] = []
  for await (const piece of await openSource(source, what, signal)) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString()
}

const openFile = async (source: Source & { via: 'file' }, what: string): Promise<Readable> => {
  try {
    const handle = await open(source.path)
    return createReadStream('', { fd: handle, highWaterMark: 1024 * 1024 })
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw cannot(what, code === 'ENOENT' ? `there is no file ${source.path}` : `${source.path}: ${code}`)
  }
}

const openUrl = async (source: Source & { via: 'http' }, what: string, signal?: AbortSignal): Promise<Readable> => {
  const headers: Record<string, string> = source.authorization ? { authorization: source.authorization } : {}
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetchThroughProxy(source.url, { headers, signal }).catch((error: unknown) => error as Error)
    signal?.throwIfAborted()
    if (!(answer instanceof Error) && answer.ok && answer.body) return Readable.fromWeb(answer.body)
    const passing = answer instanceof Error || answer.status === 429 || answer.status >= 500
    if (passing && attempt < ATTEMPTS) {
      await new Promise((done) => setTimeout(done, attempt * 500))
      continue
    }
    throw cannot(
      what,
      answer instanceof Error ? `${source.shown}: ${reason(answer)}` : `${source.shown} answered ${answer.status}`,
      `${CHECK} HTTPS_PROXY and NO_PROXY are obeyed.`,
    )
  }
}

const reason = (error: Error): string => (error.cause instanceof Error ? error.cause.message : error.message)

const CHECK = 'Check the version, and where `vestal.releases` points.'
const cannot = (what: string, why: string, fix = CHECK): InputError =>
  new InputError([{ where: what, what: `cannot be fetched: ${why}`, fix }])
