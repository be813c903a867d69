import { drill, some } from '../../lib/drill/scenario.ts'
import { leavesAndJoins } from './scaling.ts'

export default drill({
  name: 'scale-prometheus',
  summary: 'The second replica of Prometheus leaves the fleet by remove-node, and joins it again by add-node',
  contract:
    'The other replica sends the same alerts all the while, and what the one that is back sends is nothing new.',
  lasts: '5s',
  faults: (fleet) =>
    some(fleet.shards, 1, 'shard')
      .slice(0, 1)
      .flatMap(({ prometheus }) => some(prometheus, 2, 'replicas of Prometheus').slice(1))
      .map((one) => leavesAndJoins(one, fleet)),
  allowed: { duplicates: 'rarely', delay: '15s' },
})
