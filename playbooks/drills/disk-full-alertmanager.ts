import { filled } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'disk-full-alertmanager',
  summary: 'The disk of one Alertmanager is full',
  contract: 'What it cannot write it still knows, and says to the others: it goes on notifying.',
  faults: ({ alertmanagers }) =>
    some(alertmanagers, 1, 'Alertmanager').map(({ host, data }) =>
      filled(host, { folder: data, title: 'the Alertmanager' }),
    ),
  allowed: { duplicates: 'never', delay: '10s' },
})
