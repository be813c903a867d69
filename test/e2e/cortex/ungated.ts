/**
 * The roll of a ring as it would be without gates: the role's own tasks, one instance after the other, and nothing is asked in between. A playbook of
 * the tests, to show what the gates are for; with the flags of `vestal deploy`.
 */
import { runAsScript } from '../../../cli/script.ts'
import { inGroup, playbook } from '../../../lib/playbook.ts'
import { cortexAlertmanager } from '../../../roles/cortex-alertmanager/role.ts'

const ungated = playbook({
  name: 'ungated',
  summary: 'Rolls a ring without any gate.',
  plays: [
    {
      name: 'Cortex Alertmanagers, one after the other',
      hosts: inGroup('cortex_alertmanager'),
      roles: [{ ...cortexAlertmanager, healthy: () => [], serves: () => [] }],
      batch: 1,
    },
  ],
})

await runAsScript(import.meta, ungated)
