import { expect, test } from 'vitest'
import { connectionPool } from '../../../lib/engine/pool.ts'
import { LinkError } from '../../../lib/errors.ts'
import type { Connection, Host } from '../../../lib/model.ts'

const host = { name: 'a' } as Host
const links = (refuse: (number: number) => boolean = () => false) => {
  const made: { lost: boolean }[] = []
  const pool = connectionPool(async () => {
    const link = { lost: false }
    made.push(link)
    if (refuse(made.length)) throw new LinkError(host.name, `no ${made.length}`)
    return {
      host,
      cost: { execs: 1, pushedBytes: 2 },
      gone: () => (link.lost ? 'it was cut' : null),
      [Symbol.asyncDispose]: async () => undefined,
    } as unknown as Connection & { cost: { execs: number; pushedBytes: number } }
  })
  const cut = (): void => {
    for (const link of made) link.lost = true
  }
  return { made, pool, cut }
}

test('questions go by the link that there is, and by a new one where it is gone', async () => {
  const { made, pool, cut } = links()
  const first = await pool.reach(host)
  expect(await pool.ask(host)).toBe(first)
  cut()
  const [second, other] = await Promise.all([pool.ask(host), pool.ask(host)])
  expect(second).not.toBe(first)
  expect(other).toBe(second)
  expect(await pool.ask(host)).toBe(second)
  cut()
  expect(await pool.ask(host)).not.toBe(second)
  expect(made).toHaveLength(3)
  expect(pool.cost()).toEqual({ a: { execs: 3, pushedBytes: 6 } })
})

test('what changes the host stays with its link, gone or not: the lock went with it', async () => {
  const { pool, cut } = links()
  const first = await pool.reach(host)
  cut()
  await pool.ask(host)
  expect(await pool.reach(host)).toBe(first)
})

test('a host that could not be reached is not tried again; one that was, is', async () => {
  const never = links(() => true)
  await expect(never.pool.ask(host)).rejects.toThrow('no 1')
  await expect(never.pool.ask(host)).rejects.toThrow('no 1')
  const once = links((number) => number === 2)
  await once.pool.reach(host)
  once.cut()
  await expect(once.pool.ask(host)).rejects.toThrow('no 2')
  await expect(once.pool.ask(host)).resolves.toBeDefined()
})
