import type { Connection, HttpAnswer, HttpRequest, Reach } from '../model.ts'

/** The same way to each host, on which no page is asked for twice: for one look, whose questions are all of one moment. */
export const cachedReach = (reach: Reach): Reach => {
  const made = new Map<string, Promise<Connection>>()
  const room = { bytes: MOST_BYTES }
  return (host) => {
    const known = made.get(host.name) ?? reach(host).then((connection) => withMemory(connection, room))
    made.set(host.name, known)
    return known
  }
}

/** So much is remembered of all answers. What is more is asked for again: lists of a large fleet, or what a host makes up to fill this machine. */
const MOST_BYTES = 8 * 1024 * 1024

const withMemory = (connection: Connection, room: { bytes: number }): Connection => {
  const answers = new Map<string, Promise<HttpAnswer>>()
  return {
    host: connection.host,
    exec: (script, options) => connection.exec(script, options),
    request(wanted: HttpRequest) {
      if ((wanted.method ?? 'GET') !== 'GET') return connection.request(wanted)
      const key = JSON.stringify([wanted.address, wanted.port, wanted.path, wanted.headers])
      const known = answers.get(key)
      if (known) return known
      const answer = connection.request(wanted)
      answers.set(key, answer)
      answer.then(
        ({ body }) => {
          room.bytes -= body.length
          if (room.bytes >= 0) return
          room.bytes += body.length
          answers.delete(key)
        },
        () => undefined,
      )
      return answer
    },
    forwards: (port) => connection.forwards(port),
    listen: (port, take) => connection.listen(port, take),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}
