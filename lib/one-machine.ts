/** Several hosts of an inventory can be one machine, as long as each is an instance there (`vestal.instance`), or is none. */
import { called } from './host-paths.ts'
import type { Host } from './model.ts'

/** What hosts that are one machine have in common: the way there. */
export const machineOf = ({ link, machine: { lab } }: Pick<Host, 'link' | 'machine'>): string => {
  const { via, address, port, options } = link
  if (via === 'local') return JSON.stringify([via, address, lab])
  return JSON.stringify([address.toLowerCase(), String(port ?? options.port ?? '22'), options.proxyjump, lab])
}

export const isSameMachine = (one: Host, other: Host): boolean => machineOf(one) === machineOf(other)

/** A path or a unit as a host has it: that of an instance has its name behind it. */
export const ofInstance = ({ machine: { instance } }: Pick<Host, 'machine'>, name: string): string =>
  called(name, instance)

/** What people call that there: `Prometheus (b)`. */
export const titleOn = ({ machine: { instance } }: Pick<Host, 'machine'>, title: string): string =>
  instance === undefined ? title : `${title} (${instance})`

/** Does work for all of these: for those of one machine one after the other, in their order. */
export const byMachine = async <T, R>(
  items: readonly T[],
  hostOf: (item: T) => Host,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> => {
  const before = new Map<string, Promise<unknown>>()
  return Promise.all(
    items.map((item) => {
      const machine = machineOf(hostOf(item))
      const done = (before.get(machine) ?? Promise.resolve()).catch(() => undefined).then(() => work(item))
      before.set(machine, done)
      return done
    }),
  )
}

/** These names of hosts, and those of all hosts on their machines: a lock is a machine's. */
export const namesOnMachines = (names: readonly string[], hosts: readonly Host[]): readonly string[] => {
  const machines = new Set(hosts.filter(({ name }) => names.includes(name)).map(machineOf))
  return [...new Set([...names, ...hosts.filter((host) => machines.has(machineOf(host))).map(({ name }) => name)])]
}
