/**
 * The webhook receiver, as a program of its own: `receiver-main.ts ADDRESS PORT FILE`. Every POST becomes one line of FILE:
 * {"at": when it came, RFC 3339 with ms, "path": …, "status": what was answered, "body": what Alertmanager sent}.
 * POST /__control with {"status": 500, "delayMs": 3000} makes it answer so from then on; GET /healthz says 200.
 */
import { appendFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const [address = '', port = '', file = ''] = process.argv.slice(2)
let answer = { status: 200, delayMs: 0 }

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

createServer(async (request, response) => {
  try {
    if (request.method !== 'POST') return void response.writeHead(request.url === '/healthz' ? 200 : 404).end()
    const at = new Date().toISOString()
    const text = await textOf(request)
    if (request.url === '/__control') {
      answer = { status: 200, delayMs: 0, ...JSON.parse(text) }
      return void response.end()
    }
    const { status, delayMs } = answer
    appendFileSync(file, `${JSON.stringify({ at, path: request.url, status, body: parsed(text) })}\n`)
    await sleep(delayMs)
    response.writeHead(status).end()
  } catch {
    // A sender that went away, or a control message that is not JSON.
    response.writeHead(400).end()
  }
}).listen(Number(port), address)
