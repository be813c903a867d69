import type { ChangeFlags } from './options.ts'
import type { Adapt } from './plan-playbook.ts'
import { withTlsSwitched } from './switch-tls.ts'

/** How a deploy goes over a fleet that serves otherwise than the inventory says: with another way to be asked, or as somebody else has deployed it. */
export const asTheFleetIs =
  ({ watchAlerts }: Pick<ChangeFlags, 'watchAlerts'>): Adapt =>
  async (book, opened, flags) => {
    const switched = await withTlsSwitched(book, opened, flags)
    return watchAlerts && switched === book ? await companionsFirstOfOthers(book, opened, flags) : switched
  }

/** Where the first deploy of others' programs is watched, what all machines have in common goes before. */
const companionsFirstOfOthers: Adapt = async (book, { inventory, pool: { reach } }) => {
  const [{ isOthers }, { companionsFirst }] = await Promise.all([
    import('../fleet/takeover-watch.ts'),
    import('../fleet/plays.ts'),
  ])
  return (await isOthers(inventory, reach)) ? companionsFirst(book, inventory.roles) : book
}
