import { DoesNotApply } from '../../lib/drill/does-not-apply.ts'
import type { DrillFleet, DrillMember } from '../../lib/drill/scenario.ts'

type Gossiping = DrillMember & Required<Pick<DrillMember, 'gossip'>>

/** A member of the Alertmanagers' cluster, and all others. Throws DoesNotApply for a fleet in which none gossip. */
export const gossiping = ({ alertmanagers }: DrillFleet): readonly [Gossiping, readonly Gossiping[]] => {
  const [alone, ...others] = alertmanagers.filter((one): one is Gossiping => one.gossip !== undefined)
  if (alone && others.length > 0) return [alone, others]
  throw new DoesNotApply('it takes 2 Alertmanagers that gossip')
}
