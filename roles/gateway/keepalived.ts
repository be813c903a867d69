import { milliseconds } from '../../lib/duration.ts'
import type { Host } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import { FOLDER } from './config.ts'
import type { GatewayVars } from './vars.ts'

export const KEEPALIVED = `${FOLDER}/keepalived.conf`
export const ALIVE = `${FOLDER}/alive`

/** The account that keepalived and its question run as. */
export const KEEPER_USER = 'gateway-address'

/** What keepalived asks whether this gateway works: its HAProxy takes a connection. */
export const aliveScript = (host: Host, { metrics }: GatewayVars): string => {
  const { address = '127.0.0.1', port } = endpointOf(host, { listen: metrics })
  return `#!/bin/bash
# Written by Vestal. Changes made here are replaced by the next deploy.
exec 3<>/dev/tcp/${address}/${port}
`
}

/**
 * The configuration of keepalived (2.2, keepalived.conf(5)): the first gateway of the inventory has the address while it works, and each
 * further one takes it in turn. By unicast, so that a network without multicast will do.
 */
export const keepalivedFile = (
  host: Host,
  gateways: readonly Host[],
  floating: NonNullable<GatewayVars['floating']>,
): string => {
  const peers = gateways.filter((one) => one !== host)
  const seconds = Math.max(0.1, Math.round(milliseconds(floating.interval) / 100) / 10)
  return `# Written by Vestal from the inventory. Changes made here are replaced by the next deploy.
global_defs {
  router_id ${host.name.replaceAll(/[^\w.-]/g, '_')}
  vrrp_version 3
  enable_script_security
  script_user ${KEEPER_USER}
}
vrrp_script alive {
  script "${ALIVE}"
  interval 1
  timeout 1
  fall 2
  rise 2
  init_fail
}
vrrp_instance gateway {
  state BACKUP
  interface ${floating.interface}
  virtual_router_id ${floating.router_id}
  priority ${200 - gateways.indexOf(host)}
  advert_int ${seconds}
  nopreempt
  unicast_src_ip ${host.address}
${peers.length === 0 ? '' : `  unicast_peer {\n${peers.map(({ address }) => `    ${address}\n`).join('')}  }\n`}  virtual_ipaddress {
    ${floating.address}
  }
  track_script {
    alive
  }
}
`
}
