import compare from 'semver/functions/compare.js'
import { InputError } from '../../lib/errors.ts'
import type { Scope } from '../../lib/model.ts'
import { isClassicName } from '../../lib/routing/matcher.ts'
import type { RelabelStep } from '../../lib/routing/relabel.ts'
import { provenRouting, type TeamRouting } from '../alertmanager/teams.ts'
import type { Receiving } from './targets.ts'
import type { PrometheusVars } from './vars.ts'

/**
 * The relabelling that gives alerts the teams of the Alertmanagers they are sent to. Throws InputError where a case of a team fails, or
 * this version of Prometheus can't have one of the labels that a team owns by.
 */
export const ownershipFor = (
  { inventory, vars }: Pick<Scope<PrometheusVars>, 'inventory' | 'vars'>,
  [first]: readonly Receiving[],
): readonly RelabelStep[] => {
  if (!first) return []
  const routing = provenRouting(inventory, first.host, first.web)
  if (compare(vars.version, '3.0.0') < 0) blameNames(routing, vars.version)
  return routing.steps
}

const blameNames = ({ teams }: TeamRouting, version: string): void => {
  const mistakes = teams.flatMap(({ name, claims }) =>
    claims.flatMap(({ matchers, where }) =>
      matchers
        .filter((one) => !isClassicName(one.name))
        .map((one) => ({
          where: where(),
          path: `${name}.owns`,
          what: `Prometheus ${version} has no label called ${JSON.stringify(one.name)}; 3.0 is the first that takes any name`,
          fix: 'use a name of letters, digits and _',
        })),
    ),
  )
  if (mistakes.length > 0) throw new InputError(mistakes)
}
