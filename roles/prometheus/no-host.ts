import { didYouMean } from '../../lib/inventory/did-you-mean.ts'
import type { Scope, SettingMistake } from '../../lib/model.ts'

/** A group that a setting names and that has no host, and what follows from it; none where it has some. */
export const noHostIn = (
  { group, inventory }: Pick<Scope, 'group' | 'inventory'>,
  { path, name, so }: { readonly path: SettingMistake['path']; readonly name: string; readonly so: string },
): readonly SettingMistake[] =>
  group(name).length > 0
    ? []
    : [
        {
          path,
          what: `no host is in a group \`${name}\`, so ${so}${didYouMean(name, new Set(inventory.hosts.flatMap(({ groups }) => groups)))}`,
          fix: 'name a group of the inventory that has hosts, or leave the setting out',
        },
      ]
