import { hasTls, joined, portOf } from '../../lib/program/web.ts'
import { yamlFile } from '../../lib/program/yaml-file.ts'
import type { Sealed } from '../../lib/secret.ts'
import { advertised, type Member, seedsOf } from './members.ts'
import { type CortexVars, PREFIX } from './vars.ts'

export const CONFIG = '/etc/cortex-alertmanager/cortex.yml'

/** Where an instance keeps what it knows: folders in `data` that it doesn't know it deletes. */
export const stateFolder = ({ data_dir }: CortexVars): string => `${data_dir}/data`
export const tokensPath = ({ data_dir }: CortexVars): string => `${data_dir}/tokens`

/**
 * The configuration of one instance; sealed where its storage has a secret. Throws InputError where the address is a name, or a seed is no
 * instance. Field names: cortex 1.21.1, `docs/configuration/config-file-reference.md`.
 */
export const configFile = (self: Member, members: readonly Member[]): string | Sealed => {
  const { vars, host } = self
  const address = advertised(self)
  return yamlFile({
    target: 'alertmanager',
    auth_enabled: true,
    server: {
      http_listen_address: addressOf(vars.listen),
      http_listen_port: portOf(vars.listen),
      grpc_listen_address: address,
      grpc_listen_port: vars.grpc_port,
      log_level: vars.log_level,
    },
    api: { alertmanager_http_prefix: PREFIX },
    memberlist: {
      node_name: host.name,
      randomize_node_name: false,
      bind_addr: [address],
      bind_port: vars.gossip_port,
      advertise_addr: address,
      advertise_port: vars.gossip_port,
      join_members: seedsOf(self, members).map((seed) => joined(advertised(seed), seed.vars.gossip_port)),
      abort_if_cluster_join_fails: false,
      rejoin_interval: '30s',
    },
    alertmanager: {
      enable_api: true,
      external_url:
        vars.external_url ?? `${hasTls(vars) ? 'https' : 'http'}://${joined(address, portOf(vars.listen))}${PREFIX}`,
      data_dir: stateFolder(vars),
      retention: vars.retention,
      poll_interval: vars.poll_interval,
      persist_interval: vars.persist_interval,
      cluster: cluster(self, members, address),
      sharding_enabled: vars.sharding,
      ...(vars.sharding && { sharding_ring: ring(self, address) }),
    },
    alertmanager_storage: {
      ...storage(vars.storage),
      users_scanner: { strategy: 'user_index', update_interval: vars.users_interval },
    },
    limits: limits(vars.limits),
  })
}

/** Sharded instances hand on state over gRPC; unsharded ones gossip as plain Alertmanagers do. */
const cluster = ({ vars, host }: Member, members: readonly Member[], address: string) => {
  if (vars.sharding) return { listen_address: '', peer_timeout: vars.peer_timeout }
  const peers = members.filter((one) => one.host !== host)
  return {
    listen_address: joined(address, vars.cluster_port),
    advertise_address: joined(address, vars.cluster_port),
    peers: peers.map((one) => joined(advertised(one), one.vars.cluster_port)).join(','),
    peer_timeout: vars.peer_timeout,
  }
}

const ring = ({ vars, host }: Member, address: string) => ({
  instance_id: host.name,
  instance_addr: address,
  kvstore: { store: 'memberlist' },
  replication_factor: vars.replication_factor,
  heartbeat_period: vars.heartbeat_period,
  heartbeat_timeout: vars.heartbeat_timeout,
  tokens_file_path: tokensPath(vars),
  ...(vars.zone !== undefined && { zone_awareness_enabled: true, instance_availability_zone: vars.zone }),
  // Otherwise each restart would move tenants to others, and back.
  keep_instance_in_the_ring_on_shutdown: true,
  disable_replica_set_extension: !vars.replica_set_extension,
})

const storage = (given: CortexVars['storage']) => {
  switch (given.backend) {
    case 's3': {
      const { backend, bucket, lookup, ...rest } = given
      return { backend, s3: { ...rest, bucket_name: bucket, bucket_lookup_type: lookup } }
    }
    case 'gcs':
      return { backend: given.backend, gcs: { bucket_name: given.bucket, service_account: given.service_account } }
    case 'azure': {
      const { backend, container, ...rest } = given
      return { backend, azure: { ...rest, container_name: container } }
    }
    case 'swift': {
      const { backend, container, ...rest } = given
      return { backend, swift: { ...rest, container_name: container } }
    }
    case 'filesystem':
      return { backend: given.backend, filesystem: { dir: given.dir } }
  }
}

/** Settings that are not given are left to Cortex. */
const limits = (given: CortexVars['limits']): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) =>
      value === undefined ? [] : [[`alertmanager_${name}`, Array.isArray(value) ? value.join(',') : value]],
    ),
  )

const addressOf = (listen: string): string => listen.slice(0, listen.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1')
