import { onlyUnits } from '../../lib/kinds/units.ts'
import type { Role } from '../../lib/model.ts'
import type { Exporter } from '../../lib/program/exporter.ts'
import { role } from '../../lib/role.ts'
import { catalogue } from './catalogue.ts'
import { type Entry, entriesOf, entriesOn, isEnabled, serviceOf } from './entries.ts'
import { roleOf, SORT } from './entry-role.ts'
import { mistakesOf } from './mistakes.ts'
import { exportersVars, KEY } from './vars.ts'

/** Exporters of these descriptions. It takes away those that a host no longer has; each that it has is a role of its own. */
export const exportersOf = (all: readonly Exporter[]): Role => ({
  ...(role({
    name: KEY,
    summary: 'Metrics of anything else: exporters by name, each a role of its own made of data.',
    vars: exportersVars,
    // A machine's exporters are those of its host that is no instance, and are not to be taken away as another.
    on: ({ machine }) => machine.instance === undefined,
    entries: {
      known: all.map((exporter) => roleOf({ name: exporter.name, exporter }, { alerts: true }) as Role),
      on: (hosts) => rolesOf(entriesOn(all, hosts)),
      claims: (value) => isMeant(all, value),
    },
    mistakes: (scope) => mistakesOf(all, scope),

    tasks({ host }) {
      const own = entriesOn(all, [host]).filter((entry) => isEnabled(entry, host))
      const released = own.filter(({ name }) => entriesOf(host)[name]?.source === 'release')
      return [
        onlyUnits(SORT, {
          only: own.map(serviceOf),
          releases: [...new Set(released.map(({ exporter }) => exporter.release.name))],
        }),
      ]
    },
  }) as Role),
  varsOf: entriesOf,
})

/** Those that come with Vestal. */
export const exporters: Role = exportersOf(catalogue)

/** Rules are about an exporter, however many entries it has. */
const rolesOf = (entries: readonly Entry[]): readonly Role[] =>
  entries.map(
    (entry) => roleOf(entry, { alerts: entries.find(({ exporter }) => exporter === entry.exporter) === entry }) as Role,
  )

/** Others may have a variable of that name, such as a list. */
const isMeant = (all: readonly Exporter[], value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).some(
    ([name, entry]) =>
      all.some((one) => one.name === name) ||
      (typeof entry === 'object' && entry !== null && ['version', 'source', 'exporter'].some((key) => key in entry)),
  )
