import { inject } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import type { ConnectOptions, CountedConnection } from '../../../lib/connection/options.ts'
import { accounts } from '../../../lib/lab/places.ts'
import type { Host, Link } from '../../../lib/model.ts'
import { Secret } from '../../../lib/secret.ts'

export const lab = inject('lab')
export const password = new Secret(accounts.password)

/** A lab host as an inventory would have it; root by the lab's key unless the link says otherwise. */
export const labHost = (index: number, link: Partial<Link> = {}): Host => {
  const { name, address } = lab.hosts[index] ?? { name: 'none', address: 'none' }
  return {
    name,
    address,
    groups: [],
    vars: {},
    machine: { arch: 'amd64', lab: lab.name, releases: '', keepReleases: 3 },
    link: {
      via: 'ssh',
      address,
      user: 'root',
      keyFile: lab.key,
      options: {},
      connectTimeout: '20s',
      program: process.env.VESTAL_TEST_SSH,
      ...link,
    },
  }
}

export const reach = (host: Host, options: ConnectOptions = {}): Promise<CountedConnection> =>
  connect(host, { knownHosts: lab.knownHosts, ...options })

/** What a script prints, with its exit code if that is not 0. */
export const say = async (host: Host, script: string): Promise<string> => {
  await using connection = await reach(host)
  const { code, stdout, stderr } = await connection.exec(script)
  return `${stdout}${code === 0 ? '' : `exit ${code}: ${stderr}`}`
}
