/** A small exporter on many ports, in the lab's network, that remembers who scraped which port when: a witness that no Prometheus is asked for. */
import { createServer } from 'node:http'

export interface Exporter extends AsyncDisposable {
  readonly targets: readonly string[]
  /** Gives each target two series more from now on: `ticks_total`, which counts tenths of seconds whoever scrapes it how often, and `alarm`. */
  clock(): void
  /** Lets a target's metric `alarm` be 1 from now on, or 0 as it is before. */
  alarm(target: string, on: boolean): void
  /** Forgets what was before. */
  forget(): void
  /** The addresses that have scraped a target since a time. */
  scrapedBy(target: string, since: number): readonly string[]
  /** The longest time between two scrapes of a target by anybody since then, up to now; milliseconds. */
  longestGap(target: string, since: number): number
}

/** Serves on so many ports of an address, from `first` on; `series` says how many series more than two the target at a place has. */
export const exporterOn = async (
  address: string,
  first: number,
  count: number,
  series: (at: number) => number = () => 0,
): Promise<Exporter> => {
  const scrapes = new Map<number, { readonly at: number; readonly by: string }[]>()
  const alarms = new Set<number>()
  let clocked = false
  const began = Date.now()
  const ports = Array.from({ length: count }, (_, at) => first + at)
  const servers = await Promise.all(
    ports.map((port, at) => {
      const more = Array.from({ length: series(at) }, (_, one) => `more{one="${one}"} 1\n`).join('')
      const mine: { readonly at: number; readonly by: string }[] = []
      scrapes.set(port, mine)
      const server = createServer((request, response) => {
        mine.push({ at: Date.now(), by: (request.socket.remoteAddress ?? '').replace('::ffff:', '') })
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' })
        const clock = clocked ? `ticks_total ${(Date.now() - began) / 100}\nalarm ${alarms.has(port) ? 1 : 0}\n` : ''
        response.end(`served_total ${mine.length}\nport ${port}\n${clock}${more}`)
      })
      return new Promise<typeof server>((resolve, reject) => {
        server.once('error', reject).listen(port, address, () => resolve(server))
      })
    }),
  )
  const of = (target: string, since: number) =>
    (scrapes.get(Number(target.split(':').at(-1))) ?? []).filter(({ at }) => at >= since)
  return {
    targets: ports.map((port) => `${address}:${port}`),
    clock: () => {
      clocked = true
    },
    alarm(target, on) {
      const port = Number(target.split(':').at(-1))
      if (on) alarms.add(port)
      else alarms.delete(port)
    },
    forget: () => {
      for (const some of scrapes.values()) some.length = 0
    },
    scrapedBy: (target, since) => [...new Set(of(target, since).map(({ by }) => by))].sort(),
    longestGap(target, since) {
      const times = [...of(target, since).map(({ at }) => at), Date.now()]
      return Math.max(...times.slice(1).map((at, before) => at - (times[before] ?? at)))
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        servers.map((server) => {
          server.closeAllConnections()
          return new Promise((resolve) => server.close(resolve))
        }),
      )
    },
  }
}
