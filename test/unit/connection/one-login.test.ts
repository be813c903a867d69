import { expect, test } from 'vitest'
import { oneLoginEach } from '../../../lib/connection/one-login.ts'
import type { Login } from '../../../lib/connection/options.ts'
import { overTransport } from '../../../lib/connection/over-transport.ts'
import { LinkError } from '../../../lib/errors.ts'
import type { Host } from '../../../lib/model.ts'
import { hostWith } from './host.ts'

/** Logins that are counted, and that can be lost. */
const counted = (refuse?: () => boolean) => {
  const logins: { lose(): void; closed(): boolean }[] = []
  const open = async (host: Host): Promise<Login> => {
    let gone: string | null = null
    let closed = false
    logins.push({
      lose: () => {
        gone = 'the cable was cut'
      },
      closed: () => closed,
    })
    if (refuse?.()) throw new LinkError(host.name, 'nothing listens')
    const unused = async (): Promise<never> => {
      throw new Error('nothing is run in this test')
    }
    return overTransport(
      host,
      {
        start: unused,
        dial: unused,
        listen: unused,
        forwards: unused,
        gone: () => gone,
        drop: () => undefined,
        close: async () => {
          closed = true
        },
      },
      {},
    )
  }
  return { logins, open }
}
const host = hostWith()

test('many connections to a host cost one login, each counts for itself, and closing one closes nothing', async () => {
  const { logins, open } = counted()
  await using all = oneLoginEach({}, open)
  const [one, other] = await Promise.all([all.connect(host), all.connect({ ...host })])
  expect(logins.length).toBe(1)
  expect(one.cost).not.toBe(other.cost)
  await one[Symbol.asyncDispose]()
  expect(logins[0]?.closed()).toBe(false)
  await all.connect(host)
  expect(logins.length).toBe(1)
})

test('a login that was lost is made once more, however many ask for it', async () => {
  const { logins, open } = counted()
  await using all = oneLoginEach({}, open)
  await all.connect(host)
  logins[0]?.lose()
  await Promise.all([all.connect(host), all.connect(host), all.connect(host)])
  expect(logins.length).toBe(2)
})

test('one that failed is shared by who waited for it, and tried again by who comes later', async () => {
  let down = true
  const { logins, open } = counted(() => down)
  await using all = oneLoginEach({}, open)
  const asked = await Promise.allSettled([all.connect(host), all.connect(host)])
  expect([logins.length, asked.map(({ status }) => status)]).toEqual([1, ['rejected', 'rejected']])
  down = false
  await all.connect(host)
  expect(logins.length).toBe(2)
})

test('a machine that is reached otherwise under the same name is another one', async () => {
  const { logins, open } = counted()
  await using all = oneLoginEach({}, open)
  await all.connect(host)
  await all.connect({ ...host, link: { ...host.link, address: '10.88.0.99' } })
  expect(logins.length).toBe(2)
})

test('all logins are closed at the end, lost ones too', async () => {
  const { logins, open } = counted()
  {
    await using all = oneLoginEach({}, open)
    await all.connect(host)
    logins[0]?.lose()
    await all.connect(host)
  }
  expect(logins.map(({ closed }) => closed())).toEqual([true, true])
})
