import { cutOff } from '../../lib/drill/fault.ts'
import { drill } from '../../lib/drill/scenario.ts'
import { gossiping } from './gossiping.ts'

export default drill({
  name: 'lossy-gossip',
  summary: 'A third of the packets between one Alertmanager and the others is lost',
  contract:
    'Gossip says each thing several times, and TCP until it is heard: late news may cost a second notification, no more.',
  lasts: '40s',
  faults: (fleet) => {
    const [alone, others] = gossiping(fleet)
    const from = others.map(({ gossip }) => gossip.address)
    const name = `a third of the gossip of ${alone.host.name} is lost`
    return [cutOff(alone.host, { from, port: alone.gossip.port, protocols: ['tcp', 'udp'], part: 0.33 }, name)]
  },
  allowed: { duplicates: 'rarely', delay: '15s' },
})
