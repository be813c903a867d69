import { isIP } from 'node:net'
import { didYouMean } from '../../lib/inventory/did-you-mean.ts'
import type { Scope, SettingMistake } from '../../lib/model.ts'
import { webMistakes } from '../../lib/program/web-mistakes.ts'
import { templatesOf } from './config.ts'
import { configMistakes } from './config-mistakes.ts'
import { gossipMistakes } from './gossip-tls.ts'
import type { AlertmanagerVars } from './vars.ts'

/** What of an Alertmanager's settings doesn't agree with the rest of the inventory. Throws InputError where its templates can't be read. */
export const mistakes = (scope: Scope<AlertmanagerVars>): readonly SettingMistake[] => {
  const { vars, inventory } = scope
  if (vars.templates !== undefined) templatesOf(vars.templates, inventory)
  return [
    ...webMistakes(scope, scope.group('prometheus')),
    ...advertised(scope),
    ...gossipMistakes(scope),
    ...configMistakes(vars),
    ...heartbeatMistakes(vars),
  ]
}

/** Alertmanager advertises an IP address and no name (`cluster/cluster.go`, `cluster/advertise.go`). */
const advertised = ({ host, vars, group }: Scope<AlertmanagerVars>): readonly SettingMistake[] => {
  if (group('alertmanager').length < 2 || isIP(vars.cluster.advertise_address ?? host.address)) return []
  return [
    {
      path: ['cluster', 'advertise_address'],
      what: `${host.name}'s address is a name, ${JSON.stringify(host.address)}, and Alertmanager tells its peers an IP address`,
      fix: `set alertmanager: { cluster: { advertise_address: … } } for it, in host_vars/${host.name}.yml for instance, to the IP address under which the others reach it`,
    },
  ]
}

/** A heartbeat that nobody would get. */
const heartbeatMistakes = ({ heartbeats, config }: AlertmanagerVars): readonly SettingMistake[] => {
  const known = config.receivers.map(({ name }) => name)
  return (heartbeats?.receivers ?? []).flatMap((name, at) =>
    known.includes(name)
      ? []
      : [
          {
            path: ['heartbeats', 'receivers', at],
            what: `no receiver is called ${JSON.stringify(name)}${didYouMean(name, known)}`,
            fix: 'name one of alertmanager.config.receivers',
          },
        ],
  )
}
