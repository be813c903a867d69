import type { Endpoint } from '../../lib/api/endpoint.ts'
import { command } from '../../lib/kinds/command.ts'
import type { Role, Scope } from '../../lib/model.ts'
import { word } from '../../lib/shell.ts'
import { endpointOf, RING } from './api.ts'
import { askOnHost } from './host-http.ts'
import { GROUP, membersOf } from './members.ts'
import { type CortexVars, cortexOn, cortexVars } from './vars.ts'

/**
 * An instance stays in the ring when it stops, as it is to come back. Whoever is not in the inventory any more is taken out of it: the first
 * instance that stays is told so, and the others hear of it. Until then its tenants have a replica too few.
 */
export const forgetting: Role<CortexVars> = {
  name: 'cortex-alertmanager forgets',
  summary: 'Takes instances that are not in the inventory out of the ring.',
  key: 'cortex_alertmanager',
  group: GROUP,
  vars: cortexVars,
  varsOf: cortexOn,
  tasks({ host, vars, group }: Scope<CortexVars>) {
    const members = membersOf(group)
    if (members[0]?.host !== host || !vars.sharding) return []
    const self = endpointOf(host, vars)
    const left = strangers(
      self,
      members.map((member) => member.host.name),
    )
    const forget = askOnHost(self, { path: RING, form: '"forget=$id"' })
    return [
      command(
        'forget those that left the ring',
        `${left}
printf '%s\\n' "$left" | while IFS= read -r id; do
  if [ -n "$id" ]; then ${forget} | head -n 1 | grep -q ' 302 '; fi
done`,
        { unless: `set -e\n${left}\n[ -z "$left" ]` },
      ),
    ]
  },
  healthy: () => [],
  serves: () => [],
}

/** Shell that sets `left` to the ids in the ring that are none of these; it fails where the ring can't be read. */
const strangers = (self: Endpoint, staying: readonly string[]): string => `ids=$(${askOnHost(self, {
  path: RING,
  accept: 'application/json',
})} | head -c 33554432 | grep -ao '"id":"[A-Za-z0-9._-]*"' | cut -d '"' -f 4)
[ -n "$ids" ]
left=$(printf '%s\\n' "$ids" | grep -Fvxe ${word(staying.join('\n'))} || :)`
