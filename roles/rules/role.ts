import { directory } from '../../lib/kinds/directory.ts'
import { staged } from '../../lib/program/release.ts'
import { role } from '../../lib/role.ts'
import { homeOf } from '../prometheus/config.ts'
import { prometheusVars } from '../prometheus/vars.ts'
import { ownFiles } from './files.ts'
import { PROGRAM, promtool } from './release.ts'
import { ruleFiles } from './tasks.ts'
import { rulesVars } from './vars.ts'

const promVersion = prometheusVars.pick({ version: true }).loose()

/** Recording and alerting rules of Prometheus. */
export const rules = role({
  name: 'rules',
  summary: 'Recording and alerting rules: a self-monitoring set, an always-firing watchdog, and folders of your own.',
  group: 'prometheus',
  vars: rulesVars,
  instances: {},

  mistakes(scope) {
    ownFiles(scope)
    return []
  },

  tasks(scope) {
    const { version } = promVersion.parse(scope.host.vars.prometheus)
    return [directory(homeOf(scope.host)), staged(PROGRAM, version, scope.host), ...ruleFiles(scope, promtool(version))]
  },
})
