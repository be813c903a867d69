import { anyAnswers } from '../../fleet/drill/drill-fleet.ts'
import type { DrillFleet, Question } from '../../lib/drill/scenario.ts'
import type { Duration } from '../../lib/model.ts'

/** Whoever asks where people ask is answered. One of the machines that ask is enough: it is not their way that is looked at. */
export const askedAsEver = ({ asked }: DrillFleet, most: Duration): readonly Question[] =>
  asked.map(({ place, endpoints }) => ({
    name: `Queries are answered at ${place}`,
    most,
    ask: (reach) => anyAnswers(reach, endpoints, 'count(up)'),
  }))
