/** An inventory of one host whose retention differs from the one before: each deploy has something to do. */
import { allOn } from '../deploy/inventories.ts'

let runs = 0

/** With these variables; those of the connection stand with the host, as what a lab's hosts have in common stands in group_vars. Returns its folder. */
export const changedInventory = (
  name: string,
  {
    address,
    vars,
    again = false,
  }: {
    readonly address: string
    readonly vars: Readonly<Record<string, unknown>>
    /** The retention of the one before: only what the variables change is to be done. */
    readonly again?: boolean
  },
): string => {
  if (!again) runs += 1
  const ofConnection = (one: string): boolean => one.startsWith('ansible_')
  const pick = (wanted: boolean) =>
    Object.fromEntries(Object.entries(vars).filter(([one]) => ofConnection(one) === wanted))
  return allOn(name, {
    address,
    vars: {
      node_exporter: { version: '1.11.1' },
      prometheus: {
        version: '3.5.3',
        scrape_interval: '1s',
        evaluation_interval: '1s',
        retention: { time: `${runs}d` },
      },
      rules: { self_monitoring: false },
      alertmanager: { version: '0.33.1', config: { route: { receiver: 'none' }, receivers: [{ name: 'none' }] } },
      ...pick(false),
    },
    files: { [`host_vars/${name}.yml`]: pick(true) },
  })
}
