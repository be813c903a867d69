import { homedir, userInfo } from 'node:os'
import type { Master } from '../openssh/master.ts'
import type { ConnectOptions } from '../options.ts'
import { readSshConfig } from './config.ts'
import { type HostKeys, hostKeys } from './host-keys.ts'
import type { Jumping } from './jump-host.ts'
import { type Keyring, keyring } from './keyring.ts'
import type { Surroundings } from './target.ts'

/** What connections that were asked for with the same options have in common, so that fifty hosts cost one reading of each file. */
export interface Shared {
  readonly flags: ConnectOptions
  readonly keyring: Keyring
  readonly hostKeys: HostKeys
  /** Logins on jump hosts, by where they lead. */
  readonly jumps: Map<string, Jumping>
  /** The same, by OpenSSH. */
  readonly masters: Map<string, Jumping<Master>>
  /** With ssh's configuration from its usual places or from the file that the inventory names. */
  surroundings(configFile?: string): Promise<Surroundings>
}

const shared = new WeakMap<ConnectOptions, Shared>()

export const sharedOf = (flags: ConnectOptions): Shared => {
  const found = shared.get(flags) ?? make(flags)
  shared.set(flags, found)
  return found
}

const make = (flags: ConnectOptions): Shared => {
  const surroundings = new Map<string | undefined, Promise<Surroundings>>()
  const read = async (configFile = flags.configFile): Promise<Surroundings> => ({
    flags,
    lookup: await readSshConfig(configFile),
    home: homedir(),
    login: userInfo().username,
    env: process.env,
  })
  return {
    flags,
    keyring: keyring(),
    hostKeys: hostKeys(),
    jumps: new Map(),
    masters: new Map(),
    surroundings(configFile) {
      const found = surroundings.get(configFile) ?? read(configFile)
      surroundings.set(configFile, found)
      return found
    },
  }
}
