import type { Scope } from '../../lib/model.ts'
import { teamRules } from '../../lib/routing/team-rules.ts'
import { alertmanager } from '../alertmanager/role.ts'
import { provenRouting } from '../alertmanager/teams.ts'
import { prometheusVars } from '../prometheus/vars.ts'

const sending = prometheusVars
  .pick({ alertmanager_group: true, cluster: true, cluster_label: true, external_labels: true })
  .loose()

/** The rules that follow from the teams, as a file's text; undefined where there are none. */
export const teamFile = ({ host, inventory, group }: Scope): string | undefined => {
  const { alertmanager_group: to, cluster, cluster_label, external_labels } = sending.parse(host.vars.prometheus)
  const [first] = group(to).filter(({ groups }) => groups.includes('alertmanager'))
  if (!first) return undefined
  const routing = provenRouting(inventory, first, alertmanager.varsOf(first))
  const external = { ...external_labels, ...(cluster !== undefined && { [cluster_label]: cluster }) }
  const known = printed.get(routing) ?? new Map<string, string>()
  printed.set(routing, known)
  const key = JSON.stringify(external)
  const text = known.get(key) ?? teamRules(routing.teams, { label: routing.label, external })
  known.set(key, text)
  return text === '' ? undefined : text
}

const printed = new WeakMap<object, Map<string, string>>()
