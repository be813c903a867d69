import { expect, test } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { connectionPool } from '../../../lib/engine/pool.ts'
import { cachedReach } from '../../../lib/health/cached-reach.ts'
import { webServer } from '../gates/web-server.ts'

test('in one look no page is asked for twice; a later look asks again', async () => {
  await using server = await webServer('one', { '/a': 1, '/b': 2 })
  await using pool = connectionPool(connect)
  const { host, port } = server.endpoint
  for (const reach of [cachedReach(pool.reach), cachedReach(pool.reach)]) {
    const connection = await reach(host)
    for (const path of ['/a', '/b', '/a', '/a']) expect((await connection.request({ port, path })).status).toBe(200)
  }
  expect(server.asked.map(({ path }) => path)).toEqual(['/a', '/b', '/a', '/b'])
})

test('a host is connected to once until its link is forgotten', async () => {
  await using server = await webServer('one', {})
  let made = 0
  await using pool = connectionPool((host) => {
    made += 1
    return connect(host)
  })
  const { host } = server.endpoint
  await Promise.all([pool.reach(host), pool.reach(host)])
  expect(made).toBe(1)
  pool.forget(host)
  await pool.reach(host)
  expect(made).toBe(2)
})
