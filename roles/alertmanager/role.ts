import { alertmanagerConfigInForce, gossipMembersAre } from '../../lib/gates/alertmanager.ts'
import { stateParity } from '../../lib/gates/state-parity.ts'
import { alertmanagerStatus } from '../../lib/gates/status.ts'
import { RELEASES } from '../../lib/host-paths.ts'
import { byteCount } from '../../lib/inventory/schema/fields.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { file } from '../../lib/kinds/file.ts'
import { releaseBinary } from '../../lib/kinds/release.ts'
import { systemUser } from '../../lib/kinds/user.ts'
import type { Host, Inventory, Role, Task } from '../../lib/model.ts'
import { webTasks } from '../../lib/program/certificates.ts'
import { memoryLimit } from '../../lib/program/memory-limit.ts'
import { programTasks, staged } from '../../lib/program/release.ts'
import { handOver, until } from '../../lib/program/replaces.ts'
import { sandbox } from '../../lib/program/sandbox.ts'
import { programService } from '../../lib/program/service.ts'
import { template } from '../../lib/program/template.ts'
import { endpointOf, hasTls, portOf, scrapeOf } from '../../lib/program/web.ts'
import { role } from '../../lib/role.ts'
import { Sealed } from '../../lib/secret.ts'
import { canaryToken } from './canary.ts'
import { gossipAddress, gossipAddresses, membersOf } from './cluster.ts'
import { configFile, TEMPLATES, templatesOf } from './config.ts'
import { data } from './data.ts'
import { CONFIG, FLAG_DEFAULTS, flagsOf, hasPeerName } from './flags.ts'
import { gossipTasks, hasGossipTls } from './gossip-tls.ts'
import { alertsHandedOver } from './hand-over.ts'
import { hasJoined, nobodyIsMissed } from './join.ts'
import { issues } from './known-issues.ts'
import { drained, minimum } from './leave.ts'
import { mistakes } from './mistakes.ts'
import { gossipPaths, othersServe } from './peers.ts'
import { runningMember } from './running-member.ts'
import { silencesSaved } from './save-silences.ts'
import { SECRETS, teamRouting } from './teams.ts'
import { type AlertmanagerVars, alertmanagerVars, WEB } from './vars.ts'

const PROGRAM = {
  owner: 'prometheus',
  repo: 'alertmanager',
  name: 'alertmanager',
  binaries: ['alertmanager', 'amtool'],
}
const USER = WEB.user
const unitText = template<{
  user: string
  command: string
  limit: readonly string[]
  tls: boolean
  sandbox: readonly string[]
}>(import.meta.url, 'templates/alertmanager.service.ejs')

/** One member of the Alertmanager cluster. */
export const alertmanager: Role<AlertmanagerVars> = role<AlertmanagerVars>({
  name: 'alertmanager',
  title: 'Alertmanager',
  summary: 'One member of the Alertmanager cluster: its binaries, configuration, templates and service.',
  group: 'alertmanager',
  vars: alertmanagerVars,
  web: WEB,
  service: 'alertmanager',
  release: PROGRAM,

  tasks(scope) {
    const { host, vars, inventory, group } = scope
    const amtool = releaseBinary('alertmanager', vars.version, 'amtool')

    const templates = templateTasks(vars, inventory, amtool)
    const own = directory(vars.data_dir, { mode: '0750', owner: USER })
    const over = handOver(vars.replaces, {
      service: 'alertmanager',
      account: USER,
      folder: vars.data_dir,
      from: vars.replaces_data,
    })
    const config = file(CONFIG, configFile(inventory, host, vars), {
      mode: '0640',
      group: USER,
      validate: `${amtool} check-config "$1"`,
    })
    const gossip = gossipTasks(scope)
    return [
      systemUser(USER),
      directory('/etc/alertmanager'),
      staged(PROGRAM, vars.version, host),
      ...templates,
      ...secretTasks(inventory, host, vars),
      ...(vars.canary.enabled ? [canaryToken(USER)] : []),
      config,
      ...webTasks({ host, vars, inventory }, WEB),
      ...gossip.tasks,
      // Not before: what others run on it needs it until then.
      ...(vars.replaces_data === undefined ? [...over, own] : [own, ...over]),
      ...programService('alertmanager', {
        release: PROGRAM,
        version: vars.version,
        flags: flagsOf({ host, vars }, membersOf(group)),
        defaults: FLAG_DEFAULTS,
        unit: (command) =>
          unitText({
            user: USER,
            command,
            limit: memoryLimit(vars.memory_max),
            tls: hasTls(vars),
            sandbox: sandbox({ writes: [vars.data_dir] }),
          }),
        loads: [...templates, config],
        restartsOn: gossip.starts,
      }),
    ]
  },

  mistakes,

  healthy({ host, vars, inventory, group }) {
    const members = membersOf(group)
    const self = endpointOf(host, vars)
    const name = hasPeerName(vars.version) && members.length > 1 ? host.name : undefined
    const peers = members.filter((member) => member.host !== host)
    return [
      gossipMembersAre(self, { members: gossipAddresses(members), name }),
      alertmanagerConfigInForce(self, configFile(inventory, host, vars)),
      ...(peers.length > 0
        ? [
            stateParity(
              self,
              peers.map((peer) => endpointOf(peer.host, peer.vars)),
            ),
          ]
        : []),
    ]
  },

  serves({ host, vars, group }) {
    const members = membersOf(group)
    const self = endpointOf(host, vars)
    const peers = members.filter((member) => member.host !== host)
    return [
      gossipMembersAre(self, { members: gossipAddresses(members) }),
      stateParity(
        self,
        peers.map((peer) => endpointOf(peer.host, peer.vars)),
      ),
    ]
  },

  instance({ host, vars, group }) {
    const expected = gossipAddresses(membersOf(group))
    const self = expected.length > 0 ? gossipAddress({ host, vars }) : ''
    return {
      ...programTasks('alertmanager', host),
      status: alertmanagerStatus(endpointOf(host, vars), { self, expected }),
    }
  },

  rollout: {
    titles: {
      all: 'Alertmanagers, one at a time',
      first: 'The first Alertmanager',
      joins: 'The new Alertmanager joins the cluster',
      learns: 'Alertmanagers learn of it, one at a time',
      forgets: 'Alertmanagers forget it, one at a time',
    },
    batch: 1,
    before: othersServe,
    keep: silencesSaved,
    catchUp: alertsHandedOver,
  },
  cluster: {
    joining: () => ({ ...alertmanager, healthy: hasJoined }),
    joined: 'The new Alertmanager holds what the others hold',
    complete: 'No member is missed',
    nobodyMissed: nobodyIsMissed,
    whenSplit: 'each side sees only itself and notifies by itself',
  },
  minimum,
  drained,
  data,
  upgrade: { config: () => CONFIG, observe: runningMember, issues },
  scrape: ({ vars }) => scrapeOf('alertmanager', vars),
  alerts: { name: 'alertmanager', file: new URL('../rules/files/alertmanager.yml', import.meta.url) },
  reaches: gossipPaths,

  needs({ host, vars, group }) {
    const unit = 'alertmanager.service'
    const tls = hasGossipTls({ host, group })
    const gossip = group('alertmanager').length > 1 ? (tls ? (['tcp'] as const) : (['tcp', 'udp'] as const)) : []
    return {
      ports: [
        { port: portOf(vars.listen), protocol: 'tcp', unit, ...until(vars.replaces) },
        ...gossip.map((protocol) => ({
          port: vars.cluster.port,
          protocol,
          unit,
          ...until(vars.replaces),
          ...(tls && { closed: true as const }),
        })),
      ],
      folders: [vars.data_dir, RELEASES],
      memoryBytes: vars.memory_max ? byteCount(vars.memory_max) : undefined,
    }
  },
})

/** Without the setting the folder is the operator's own. Each file is parsed by itself; of others it may use, it needs only the names. */
const templateTasks = (vars: AlertmanagerVars, inventory: Inventory, amtool: string): readonly Task[] => {
  if (vars.templates === undefined) return []
  const texts = templatesOf(vars.templates, inventory)
  return [
    directory(TEMPLATES, { only: texts.map(({ name }) => name) }),
    ...texts.map(({ name, text }) =>
      file(`${TEMPLATES}/${name}`, text, {
        validate: `${amtool} template render --template.glob="$1" --template.text=parsed`,
      }),
    ),
  ]
}

/** Secrets of teams, each in a file that the configuration names. Alertmanager reads them when it notifies: no reload is needed. */
const secretTasks = (inventory: Inventory, host: Host, vars: AlertmanagerVars): readonly Task[] => {
  const { secretFiles, teams } = teamRouting(inventory, host, vars)
  if (teams.length === 0) return []
  return [
    directory(SECRETS, { mode: '0750', group: USER, only: secretFiles.map(({ name }) => name) }),
    ...secretFiles.map(({ name, content }) =>
      file(`${SECRETS}/${name}`, new Sealed([content]), { mode: '0640', group: USER }),
    ),
  ]
}
