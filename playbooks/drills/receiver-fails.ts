import { receiving } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'receiver-fails',
  summary: 'The receiver answers 500, as one does that is being deployed',
  contract:
    'What could not be handed over is sent again; members whose turn has come meanwhile send it too, and the first that gets through may not be the only one.',
  // Shorter than the shortest alert lasts: one that is over before the receiver works again need not come.
  lasts: '10s',
  faults: ({ alertmanagers }) =>
    some(alertmanagers, 1, 'Alertmanager').map(({ host }) =>
      receiving(host, { status: 500 }, 'the receiver answers 500'),
    ),
  allowed: { duplicates: 'freely', delay: '25s' },
})
