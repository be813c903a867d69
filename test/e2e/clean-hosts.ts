/** Each file of a longer suite starts from machines that are on, and that nothing was ever deployed to. */
import { beforeAll, inject } from 'vitest'
import { powerOn } from '../../lib/lab/faults.ts'
import { resetHost } from './vestal.ts'

beforeAll(async () => {
  const { name, hosts } = inject('lab')
  for (const host of hosts) await powerOn(host.name, name)
  await Promise.all(hosts.map(({ address }) => resetHost(address)))
})
