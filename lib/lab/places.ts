/** Where the lab keeps things on the box, and the names and addresses that everything else agrees on. */
import { InputError } from '../errors.ts'

/** The controller's address in every lab's network: the default route of nothing, the home of the webhook receiver. */
export const controllerAddress = '10.88.0.1'
export const receiverUrl = `http://${controllerAddress}:9095`
/** Addresses 10.88.0.11 to 10.88.0.250. */
export const mostHosts = 240
/** Accounts on every lab host, all with the lab's key. `ops` has sudo without a password, `deploy` needs this one for it. */
export const accounts = { root: 'root', ops: 'ops', deploy: 'deploy', password: 'vestal-lab' } as const

/** The folder of everything that the labs keep: /var/lib/vestal-lab, or VESTAL_LAB_DIR. */
export const labRoot = (): string => process.env.VESTAL_LAB_DIR || '/var/lib/vestal-lab'
/** What is true of the box while it runs, whichever folder its labs are kept in. A reboot empties it. */
export const boxFolder = '/run/vestal-lab'
export const labKey = (): string => `${labRoot()}/id_ed25519`
export const labKnownHosts = (): string => `${labRoot()}/known_hosts`
export const labMirror = (): string => `${labRoot()}/mirror`
/** What belongs to one lab only, and goes when it goes. */
export const labFolder = (lab: string): string => `${labRoot()}/labs/${checkLabName(lab)}`
/** A folder that all hosts of a lab share, where it is on the box and where they see it. */
export const sharedFolder = (lab: string): string => `${labFolder(lab)}/shared`
export const SHARED_ON_HOSTS = '/srv/shared'
export const notificationsFile = (lab: string): string => `${labFolder(lab)}/notifications.ndjson`

export const hostName = (index: number): string => `lab-${index}`
export const hostAddress = (index: number): string => `10.88.0.${10 + index}`
/** The number in `lab-N`. Throws InputError for any other name or a number that no lab can have. */
export const hostIndex = (host: string): number => {
  const index = Number(/^lab-([1-9]\d{0,2})$/.exec(host)?.[1])
  if (index >= 1 && index <= mostHosts) return index
  throw new InputError([
    { where: host, what: 'is not the name of a lab host', fix: `They are called lab-1 to lab-${mostHosts}.` },
  ])
}

export const controllerNamespace = (lab: string): string => `vestal-${checkLabName(lab)}`
export const hostNamespace = (lab: string, host: string): string => `${controllerNamespace(lab)}-${host}`
export const namespaceFile = (namespace: string): string => `/run/netns/${namespace}`

/** Returns the name if it can name a lab. It becomes part of file, namespace and machine names. */
export const checkLabName = (lab: string): string => {
  if (/^[a-z0-9]([a-z0-9]|-(?!lab)){0,30}$/.test(lab)) return lab
  throw new InputError([
    {
      where: '--name',
      what: `'${lab}' cannot name a lab`,
      fix: 'Use up to 31 small letters, digits and hyphens, without "-lab".',
    },
  ])
}
