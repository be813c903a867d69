import { dead } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'
import { askedAsEver } from './asking.ts'
import { machineLost } from './machine-lost.ts'

export default drill({
  name: 'gateway-lost',
  summary: 'The machine of the first gateway is lost, with the address that all share where it has that',
  contract:
    'Another gateway takes the address once it has heard nothing for a little more than three intervals (VRRP). Alerts do not come this way.',
  faults: (fleet) => {
    const [one] = some(fleet.gateways, 2, 'gateways')
    return one ? machineLost(fleet, one.host, [dead(one.host, one.unit, 'the gateway')]) : []
  },
  // Without an address that all share, those who ask at the lost one have nobody.
  questions: (fleet) => askedAsEver(fleet, '10s').slice(-1),
  allowed: { duplicates: 'rarely', delay: '10s', healed: '3m' },
})
