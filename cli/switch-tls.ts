import type { Adapt } from './plan-playbook.ts'

/** A deploy turns TLS on and off where the fleet serves otherwise than the inventory says. What does it is loaded where it may be needed. */
export const withTlsSwitched: Adapt = async (book, { inventory, hosts, pool: { reach } }, { tags }) => {
  const { switchingTls } = await import('../fleet/certificates/switch.ts')
  return switchingTls(book, inventory, { hosts, tags, reach })
}
