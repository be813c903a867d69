import { cutOff } from '../../lib/drill/fault.ts'
import { drill } from '../../lib/drill/scenario.ts'
import { seesMembers } from '../../lib/gates/drilled.ts'
import { gossiping } from './gossiping.ts'

export default drill({
  name: 'partition',
  summary: 'One Alertmanager is cut off from the gossip of the others, TCP and UDP',
  contract:
    'Each side notifies, as it cannot know whether the other does: twice, never not at all. What was notified before is known to both.',
  lasts: '40s',
  faults: (fleet) => {
    const [alone, others] = gossiping(fleet)
    const from = others.map(({ gossip }) => gossip.address)
    return [
      cutOff(
        alone.host,
        { from, port: alone.gossip.port, protocols: ['tcp', 'udp'] },
        `${alone.host.name} is cut off from the gossip`,
      ),
    ]
  },
  meanwhile: (fleet) => [seesMembers(gossiping(fleet)[0].endpoint, 1)],
  allowed: { duplicates: 'freely', delay: '15s' },
})
