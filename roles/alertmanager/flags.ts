import { goDuration } from '../../lib/duration.ts'
import { webConfigFile } from '../../lib/program/certified.ts'
import { knowsFlag } from '../../lib/program/flag-versions.ts'
import type { Flags } from '../../lib/program/flags.ts'
import { gossipAddress, type Member } from './cluster.ts'
import { FLAGS } from './flag-versions.ts'
import { GOSSIP_CONFIG } from './gossip-tls.ts'
import { gossipInterval, pushpullInterval } from './timings.ts'
import { WEB } from './vars.ts'

export const CONFIG = '/etc/alertmanager/alertmanager.yml'

/** Values that mean the same as leaving the flag out (`alertmanager --help`, 0.25 to 0.33). */
export const FLAG_DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  'web.listen-address': ['0.0.0.0:9093', ':9093'],
  'data.retention': ['120h', '120h0m0s'],
  'log.level': ['info'],
  'cluster.listen-address': ['0.0.0.0:9094'],
  'cluster.peer-timeout': ['15s'],
  'cluster.gossip-interval': ['200ms'],
  'cluster.pushpull-interval': ['1m', '1m0s', '60s'],
  'cluster.settle-timeout': ['1m', '1m0s', '60s'],
  'cluster.reconnect-timeout': ['6h', '6h0m0s'],
}

/** The command line of one member; only flags that its version knows. A member that stands alone opens no gossip port. */
export const flagsOf = (self: Member, members: readonly Member[]): Flags => {
  const { vars } = self
  return {
    'config.file': CONFIG,
    'storage.path': vars.data_dir,
    'data.retention': goDuration(vars.retention),
    'web.listen-address': vars.listen,
    'web.external-url': vars.external_url,
    'web.route-prefix': vars.route_prefix,
    'web.config.file': vars.web_config && webConfigFile(WEB),
    'log.level': vars.log_level,
    ...(members.length < 2 ? { 'cluster.listen-address': '' } : gossip(self, members)),
    ...vars.extra_flags,
  }
}

/** Whether this version can be given a name that stays the same over restarts. */
export const hasPeerName = (version: string): boolean => knowsFlag(FLAGS, version, 'cluster.peer-name')

const gossip = (self: Member, members: readonly Member[]): Flags => {
  const { version, cluster } = self.vars
  const address = gossipAddress(self)
  return {
    'cluster.listen-address': `${address.startsWith('[') ? '[::]' : '0.0.0.0'}:${cluster.port}`,
    'cluster.advertise-address': address,
    'cluster.peer-name': hasPeerName(version) ? self.host.name : undefined,
    'cluster.label': knowsFlag(FLAGS, version, 'cluster.label') ? cluster.label : undefined,
    'cluster.tls-config': self.host.tls?.gossip ? GOSSIP_CONFIG : undefined,
    'cluster.peer': members.filter(({ host }) => host !== self.host).map(gossipAddress),
    'cluster.peer-timeout': goDuration(cluster.peer_timeout),
    'cluster.gossip-interval': goDuration(gossipInterval(cluster)),
    'cluster.pushpull-interval': goDuration(pushpullInterval(cluster)),
    'cluster.settle-timeout': goDuration(cluster.settle_timeout),
    'cluster.reconnect-timeout': goDuration(cluster.reconnect_timeout),
  }
}
