import { filled } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'
import { failsToStore } from '../../lib/gates/drilled.ts'

export default drill({
  name: 'disk-full-prometheus',
  summary: 'The disk of one Prometheus is full, so that it can store no sample',
  contract: 'What it cannot store it cannot evaluate; its replica goes on.',
  faults: ({ prometheus }) =>
    some(prometheus, 2, 'Prometheus')
      .slice(0, 1)
      .map(({ host, data }) => filled(host, { folder: data, title: 'the Prometheus' })),
  meanwhile: ({ prometheus }) =>
    some(prometheus, 2, 'Prometheus')
      .slice(0, 1)
      .map(({ endpoint }) => failsToStore(endpoint)),
  allowed: { duplicates: 'never', delay: '10s' },
})
