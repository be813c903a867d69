import { isIP } from 'node:net'
import { InputError } from '../../lib/errors.ts'
import type { Host, Inventory, Scope } from '../../lib/model.ts'
import { type CortexVars, cortexOn } from './vars.ts'

export const GROUP = 'cortex_alertmanager'

/** One instance of a ring, with its settings. Its id in the ring is its host's name. */
export interface Member {
  readonly host: Host
  readonly vars: CortexVars
}

/** All instances of the ring, in the inventory's order. */
export const membersOf = (group: Scope['group']): readonly Member[] => group(GROUP).map(memberOf)
export const membersIn = ({ hosts }: Pick<Inventory, 'hosts'>): readonly Member[] =>
  hosts.filter(({ groups }) => groups.includes(GROUP)).map(memberOf)
export const memberOf = (host: Host): Member => ({ host, vars: cortexOn(host) })

/** The IP address under which others reach an instance. Throws InputError where the host's address is a name. */
export const advertised = ({ host, vars }: Member): string => {
  const address = vars.advertise_address ?? host.address
  if (isIP(address)) return address
  throw new InputError([
    {
      where: `host ${host.name}`,
      path: 'cortex_alertmanager.advertise_address',
      what: `the host's address ${JSON.stringify(address)} is a name, and the ring holds IP addresses`,
      fix: 'Set this variable, or ansible_host, to the IP address under which the other instances reach the host.',
    },
  ])
}

/** Those that a starting instance asks who else is there. Throws InputError for a seed that is no instance. */
export const seedsOf = (self: Member, members: readonly Member[]): readonly Member[] => {
  const { seeds } = self.vars
  if (!seeds) return members.slice(0, 3)
  return seeds.map((name) => {
    const found = members.find(({ host }) => host.name === name)
    if (found) return found
    throw new InputError([
      {
        where: `host ${self.host.name}`,
        path: 'cortex_alertmanager.seeds',
        what: `${JSON.stringify(name)} is no host of group ${GROUP}`,
        fix: 'Name hosts of that group.',
      },
    ])
  })
}
