import type { FleetRule } from './fleet-facts.ts'

/** Ways between hosts that roles say they need, where no check of their own is about them. */
export const pathRules: readonly FleetRule[] = [
  {
    id: 'running-unreadable',
    severity: 'error',
    why: 'What it runs with is not known, so nothing here says anything about it.',
    fix: 'Ask its program by hand, from the machine itself, and see who answers on its port.',
    find: ({ unread }) => unread.map(({ host, why }) => ({ hosts: [host], what: why })),
  },
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
