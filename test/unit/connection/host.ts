import type { Host, Link } from '../../../lib/model.ts'
import { me, type Sshd } from './sshd.ts'

/** An inventory host with this link. */
export const hostWith = (link: Partial<Link> = {}): Host => ({
  name: 'web-1',
  address: link.address ?? '127.0.0.1',
  groups: [],
  vars: {},
  machine: { arch: 'amd64', releases: '', keepReleases: 3 },
  link: { via: 'ssh', address: '127.0.0.1', options: {}, connectTimeout: '10s', ...link },
})

/** The host that a test's sshd stands for, with the key that it lets in. */
export const hostOf = ({ port, key }: Sshd, link: Partial<Link> = {}): Host =>
  hostWith({ port, user: me, keyFile: key, ...link })

/** The two ways by which a host is reached over SSH: what holds for a connection holds for both. */
export const ways: readonly (readonly [string, Partial<Link>])[] = [
  ['by the built-in SSH', {}],
  ['by OpenSSH', { program: 'ssh' }],
]
