import { replaced } from '../../lib/drill/fault.ts'
import { drill, some } from '../../lib/drill/scenario.ts'
import { refusedItsConfig } from '../../lib/gates/drilled.ts'

export default drill({
  name: 'bad-config',
  summary: 'One Alertmanager is given a configuration that it cannot read, past every check',
  contract:
    'A reload that fails changes nothing: it goes on with the configuration it had, and says so in its metrics.',
  faults: ({ alertmanagers }) =>
    some(alertmanagers, 1, 'Alertmanager')
      .slice(0, 1)
      .map(({ host, unit, config }) =>
        replaced(host, {
          file: config,
          text: 'route: { receiver: nobody }\nreceivers: []\n',
          unit,
          title: 'Alertmanager',
        }),
      ),
  meanwhile: ({ alertmanagers }) =>
    some(alertmanagers, 1, 'Alertmanager')
      .slice(0, 1)
      .map(({ endpoint }) => refusedItsConfig(endpoint)),
  allowed: { duplicates: 'rarely', delay: '10s' },
})
