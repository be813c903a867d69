import { DoesNotApply } from '../../lib/drill/does-not-apply.ts'
import { cutOff } from '../../lib/drill/fault.ts'
import { drill } from '../../lib/drill/scenario.ts'
import { gossiping } from './gossiping.ts'

export default drill({
  name: 'partition-udp',
  summary: 'One Alertmanager hears no UDP of the others: what a firewall does that lets TCP through only',
  contract:
    'News come with the next comparison of whole states, by TCP; a member that notifies before that may notify for the second time.',
  lasts: '40s',
  faults: (fleet) => {
    const [alone, others] = gossiping(fleet)
    if (alone.gossip.tls) throw new DoesNotApply('members gossip with TLS, which goes by TCP alone')
    const from = others.map(({ gossip }) => gossip.address)
    return [
      cutOff(alone.host, { from, port: alone.gossip.port, protocols: ['udp'] }, `${alone.host.name} hears no UDP`),
    ]
  },
  allowed: { duplicates: 'rarely', delay: '15s' },
})
