import { drill, setting, some } from '../../lib/drill/scenario.ts'

export default drill({
  name: 'roll',
  summary: 'The Alertmanagers are rolled to another version, one after the other, and back to their own',
  contract:
    'All but one notify at any moment, of either version. A restarted one may notify again what it was notifying.',
  lasts: '5s',
  settings: { to: { about: 'the version of Alertmanager to roll to' } },
  faults: (fleet) => {
    const [first] = some(fleet.alertmanagers, 2, 'Alertmanagers')
    const roll = (version: string) => ['rolling-upgrade', '--alertmanager', version, '--allow-one-way']
    if (first?.version === undefined) return []
    return [
      {
        kind: 'change',
        name: `the Alertmanagers are rolled to ${setting(fleet, 'to')}`,
        host: first.host,
        commands: [roll(setting(fleet, 'to'))],
        undo: [roll(first.version)],
        touches: fleet.alertmanagers.map(({ host }) => host),
      },
    ]
  },
  allowed: { duplicates: 'rarely', delay: '25s' },
})
