import { BlockList, isIPv6 } from 'node:net'
import type { Secret } from '../../lib/secret.ts'
import { CANARY_ALERT, CANARY_RECEIVER, canaryGrouping, canaryReceiver } from '../alertmanager/canary.ts'
import type { CortexVars } from './vars.ts'

/** The tenant of canary alerts, and of nothing else. */
export const CANARY_TENANT = 'vestal-canary'

/**
 * Its configuration: everything goes to the receiver on the own loopback of the instance that notifies. Cortex takes no files in the configuration of a
 * tenant, so what the receiver proves itself with stands in it.
 */
export const canaryConfig = ({ port, group_interval }: CortexVars['canary'], token: Secret) => ({
  route: { receiver: CANARY_RECEIVER, ...canaryGrouping(group_interval) },
  receivers: [canaryReceiver(port, { credentials: token })],
})

/** A relabelling step of a Prometheus that keeps canary alerts and no others, or drops them. */
export const canaryStep = (action: 'keep' | 'drop') => ({
  source_labels: ['alertname', 'vestal'],
  regex: `${CANARY_ALERT};canary`,
  action,
})

/** The limit that keeps an instance from its own loopback, and so canary alerts from their receiver; null for none. */
export const limitAgainstCanary = ({ limits }: CortexVars): string | null => {
  if (limits.receivers_firewall_block_private_addresses) return 'receivers_firewall_block_private_addresses'
  const blocked = new BlockList()
  for (const network of limits.receivers_firewall_block_cidr_networks ?? []) {
    const [address = '', bits] = network.split('/')
    try {
      blocked.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4')
    } catch {
      // What is no network Cortex itself refuses.
    }
  }
  return blocked.check('127.0.0.1') ? 'receivers_firewall_block_cidr_networks' : null
}
