import type { FleetRule } from './fleet-facts.ts'

/** Ways between hosts that roles say they need, where no check of their own is about them. */
export const pathRules: readonly FleetRule[] = [
  {
    id: 'path-blocked',
    severity: 'error',
    why: 'A role of one host must reach a port of another.',
    fix: 'Open the port in the firewalls between both.',
    find: ({ paths }) =>
      paths
        .filter(({ matters, open }) => matters !== undefined && !open)
        .map(({ from, to, address, port, protocol, why, matters }) => ({
          hosts: [from, to],
          what: `${from} does not reach ${to} at ${address}:${port} by ${protocol.toUpperCase()}: ${why}. ${matters}`,
        })),
  },
]
