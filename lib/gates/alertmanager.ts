/** Gates over one member of an Alertmanager cluster. Its own `/-/ready` proves nothing: it says 200 from the first moment on. */

import { createHash } from 'node:crypto'
import { runsForMs, statusOf } from '../api/alertmanager.ts'
import { ask, type Endpoint, refused } from '../api/endpoint.ts'
import type { Gate, Verdict } from '../model.ts'
import { bytesOf, type Content } from '../secret.ts'
import { urlOf } from '../url.ts'
import { listed } from '../wording.ts'
import { missingFrom } from './missing-from.ts'
import { seriesOf } from './series.ts'

/** It answers, and its cluster has settled (or it has none), so that it sends notifications. */
export const alertmanagerServes = (alertmanager: Endpoint): Gate => ({
  name: 'Alertmanager sends notifications',
  host: alertmanager.host.name,
  within: '60s',
  ask: async (reach) => settled((await statusOf(reach, alertmanager)).cluster.status),
})

/**
 * Nothing is left of what it looked at when it started. It waits for the members before it with what fired then, and tells that even where it is over by now, if
 * one of them has said so meanwhile. A member before it says so when it is restarted.
 */
export const alertmanagerIsInStep = (alertmanager: Endpoint, { afterMs }: { readonly afterMs: number }): Gate => ({
  name: 'Alertmanager holds nothing back since its own start',
  host: alertmanager.host.name,
  within: `${Math.ceil(afterMs / 1_000) + 15}s`,
  async ask(reach) {
    const ms = await runsForMs(reach, alertmanager)
    return ms >= afterMs
      ? { pass: true }
      : {
          pass: false,
          why: `it started ${Math.round(ms / 1_000)} s ago; what it held then is told within ${Math.ceil(afterMs / 1_000)} s`,
        }
  },
})

export interface Membership {
  /** The gossip addresses of all members, itself included, as `address:port`; empty for an Alertmanager without a cluster. */
  readonly members: readonly string[]
  /** Its own name, where its version can be given one. */
  readonly name?: string
}

/** The members it gossips with are exactly the inventory's, by address, and its cluster has settled. */
export const gossipMembersAre = (alertmanager: Endpoint, { members, name }: Membership): Gate => ({
  name: 'Alertmanager gossips with every member of the inventory',
  host: alertmanager.host.name,
  within: '60s',
  async ask(reach) {
    const { cluster } = await statusOf(reach, alertmanager)
    const found = new Set(cluster.peers.map(({ address }) => canonical(address)))
    const wanted = new Set(members.map(canonical))
    const missing = missingFrom(found, wanted)
    const foreign = missingFrom(wanted, found)
    if (missing.length > 0) return { pass: false, why: `does not see ${listed(missing)}`, lacks: missing }
    if (foreign.length > 0) return { pass: false, why: `also gossips with ${listed(foreign)}, not in the inventory` }
    if (members.length > 0 && name !== undefined && cluster.name !== name)
      return { pass: false, why: `calls itself ${cluster.name}, not ${name}` }
    return settled(cluster.status)
  },
})

/** Its config's hash is that of the file as it must be, and its last reload succeeded. */
export const alertmanagerConfigInForce = (alertmanager: Endpoint, config: Content): Gate => ({
  name: 'Alertmanager has its config in force',
  host: alertmanager.host.name,
  within: '15s',
  async ask(reach) {
    const answer = await ask(reach, alertmanager, '/metrics')
    if (answer.status !== 200) throw refused(alertmanager, '/metrics', answer)
    if (metric(answer.body, 'alertmanager_config_last_reload_successful') !== 1)
      return {
        pass: false,
        why: 'it refused its config at the last reload and runs on the one before; see its journal',
      }
    return metric(answer.body, 'alertmanager_config_hash') === configHash(bytesOf(config))
      ? { pass: true }
      : { pass: false, why: 'it runs on another config than the one it must have' }
  },
})

/** What `alertmanager_config_hash` says of a config file: 48 bits of its MD5 (alertmanager `config/coordinator.go`). */
export const configHash = (config: Buffer): number => createHash('md5').update(config).digest().readUIntLE(0, 6)

const settled = (clusterStatus: string): Verdict =>
  clusterStatus === 'ready' || clusterStatus === 'disabled'
    ? { pass: true }
    : { pass: false, why: `its cluster is ${clusterStatus}, not ready` }

/** IPv6 addresses can be written in many ways. */
const canonical = (address: string): string =>
  (address.startsWith('[') ? urlOf(`http://${address}`)?.host : undefined) ?? address

const metric = (page: string, name: string): number | undefined => seriesOf(page, name)[0]
