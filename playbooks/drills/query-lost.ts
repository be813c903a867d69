import { dead } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'
import { askedAsEver } from './asking.ts'
import { machineLost } from './machine-lost.ts'

export default drill({
  name: 'query-lost',
  summary: 'A machine that answers queries for all shards is lost',
  contract: 'A gateway asks only those that answered its last two checks. Alerts of shards do not come this way.',
  faults: (fleet) => {
    const [one] = some(fleet.queries, 2, 'Thanos Queries')
    some(fleet.gateways, 1, 'gateway')
    return one ? machineLost(fleet, one.host, [dead(one.host, one.unit, 'Thanos Query')]) : []
  },
  questions: (fleet) => askedAsEver(fleet, '10s'),
  allowed: { duplicates: 'rarely', delay: '10s', healed: '3m' },
})
