import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Endpoint } from '../../../lib/api/endpoint.ts'
import { connect } from '../../../lib/connection/connect.ts'
import type { Connection, Gate, Host, Reach, Verdict } from '../../../lib/model.ts'

/** What a web server answers, by path: JSON with status 200, or a whole answer. */
export type Pages = Record<string, unknown | Answer>
export class Answer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  constructor(status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
    this.status = status
    this.body = body
    this.headers = headers
  }
}

export interface WebServer extends AsyncDisposable {
  readonly endpoint: Endpoint
  readonly asked: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Promise<string> }[]
  pages: Pages
  /** A method that it takes nothing by. */
  refuses?: string
}

/** Stands in for the web server of a Prometheus or Alertmanager on a machine of this name, reached without SSH. */
export const webServer = async (name: string, pages: Pages, more: Partial<Endpoint> = {}): Promise<WebServer> => {
  const asked: WebServer['asked'] = []
  const server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', headers: request.headers, body: text(request) })
    const page = self.pages[request.url ?? '']
    const answer =
      request.method === self.refuses
        ? new Answer(400, 'not today')
        : page instanceof Answer
          ? page
          : page === undefined
            ? new Answer(404, 'no page')
            : new Answer(200, JSON.stringify(page))
    response.writeHead(answer.status, { ...answer.headers }).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const self: WebServer = {
    endpoint: { host: machine(name), port: (server.address() as AddressInfo).port, ...more },
    asked,
    pages,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return self
}

/** Asks a gate once, as the engine does in each round. */
export const verdict = (gate: Gate): Promise<Verdict> => gate.ask(reach)

const machine = (name: string): Host => ({
  name,
  address: '127.0.0.1',
  groups: [],
  vars: {},
  link: { via: 'local', address: '127.0.0.1', options: {}, connectTimeout: '10s' },
  machine: { arch: 'amd64', releases: 'file:/none', keepReleases: 3 },
})

const connections = new Map<Host, Promise<Connection>>()
/** Reaches machines without SSH, each by one connection. */
export const reach: Reach = (host) => {
  const connection = connections.get(host) ?? connect(host)
  connections.set(host, connection)
  return connection
}
