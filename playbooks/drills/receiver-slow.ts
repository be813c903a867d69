import { receiving } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'receiver-slow',
  summary: 'The receiver takes 8 s to answer, longer than members wait for each other',
  contract: 'A member that has not heard of the answer when its turn comes notifies too.',
  faults: ({ alertmanagers }) =>
    some(alertmanagers, 1, 'Alertmanager').map(({ host }) =>
      receiving(host, { delayMs: 8_000 }, 'the receiver takes 8 s to answer'),
    ),
  allowed: { duplicates: 'freely', delay: '10s' },
})
