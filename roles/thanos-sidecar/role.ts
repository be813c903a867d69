import { InputError } from '../../lib/errors.ts'
import { httpGate } from '../../lib/gates/http.ts'
import { RELEASES } from '../../lib/host-paths.ts'
import { byteCount } from '../../lib/inventory/schema/fields.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { file } from '../../lib/kinds/file.ts'
import { systemUser } from '../../lib/kinds/user.ts'
import type { Gate, Host, Role, Scope } from '../../lib/model.ts'
import { ofInstance, titleOn } from '../../lib/one-machine.ts'
import { trustFile, webTasks } from '../../lib/program/certificates.ts'
import { trustsFleet, webConfigFile, webOn } from '../../lib/program/certified.ts'
import type { Flags } from '../../lib/program/flags.ts'
import { staged } from '../../lib/program/release.ts'
import { programService } from '../../lib/program/service.ts'
import { endpointOf, hasTls, joined, prefixOf, scrapeOf } from '../../lib/program/web.ts'
import { yamlFile } from '../../lib/program/yaml-file.ts'
import { role } from '../../lib/role.ts'
import { prometheusOn } from '../prometheus/vars.ts'
import { grpcServerFlags, grpcWay, portsOf } from '../thanos/grpc.ts'
import { PROGRAM, USER, versionOn } from '../thanos/release.ts'
import { unitOf } from '../thanos/unit.ts'
import { GROUP } from './members.ts'
import { type SidecarVars, sidecarVars, WEB } from './vars.ts'

const SERVICE = 'thanos-sidecar'
const clientFile = (host: Host): string => `${webOn(host, WEB).folder}/prometheus.yml`

/** Shows the data of the Prometheus beside it to Thanos Query. */
export const thanosSidecar: Role<SidecarVars> = role<SidecarVars>({
  name: 'thanos-sidecar',
  title: 'Thanos Sidecar',
  summary: 'Shows the data, rules and targets of the Prometheus beside it to Thanos Query; needs no object storage.',
  group: GROUP,
  vars: sidecarVars,
  web: WEB,
  instances: {},
  service: SERVICE,
  release: PROGRAM,

  tasks({ host, vars, inventory }) {
    const version = versionOn(host, vars.version)
    const client = file(clientFile(host), yamlFile(clientOf(host)), { mode: '0640', group: USER })
    return [
      systemUser(USER),
      directory(webOn(host, WEB).folder),
      staged(PROGRAM, version, host),
      client,
      ...webTasks({ host, vars, inventory }, WEB),
      ...programService(SERVICE, {
        release: PROGRAM,
        version,
        instance: host.machine.instance,
        subcommand: 'sidecar',
        flags: flagsOf(host, vars),
        unit: unitOf({
          title: titleOn(host, 'Thanos Sidecar'),
          page: 'sidecar',
          memory: vars.memory_max,
          tls: hasTls(vars),
        }),
        restartsOn: [client, ...(grpcWay(vars) === 'tls' || trustsFleet(besideIt(host)) ? trustFile(inventory) : [])],
        reloads: false,
      }),
    ]
  },

  healthy: answers,
  serves: answers,
  scrape: ({ vars }) => scrapeOf(SERVICE, vars),
  needs: ({ host, vars }) => ({
    ports: portsOf(`${ofInstance(host, SERVICE)}.service`, vars),
    folders: [RELEASES],
    memoryBytes: vars.memory_max ? byteCount(vars.memory_max) : undefined,
  }),
})

/** It is ready once its Prometheus has answered, and no longer when that does not answer. */
function answers({ host, vars }: Pick<Scope<SidecarVars>, 'host' | 'vars'>): readonly Gate[] {
  return [
    httpGate('the sidecar is ready: its Prometheus answers it', endpointOf(host, vars), {
      path: '/-/ready',
      within: '90s',
    }),
  ]
}

const flagsOf = (host: Host, vars: SidecarVars): Flags => ({
  'http-address': vars.listen,
  'grpc-address': vars.grpc_listen,
  ...grpcServerFlags(vars, webOn(host, WEB)),
  'http.config': vars.web_config && webConfigFile(webOn(host, WEB)),
  'http-grace-period': '5s',
  'grpc-grace-period': '5s',
  'prometheus.url': prometheusUrl(host),
  'prometheus.http-client-file': clientFile(host),
  'prometheus.get_config_interval': vars.check_interval,
  'prometheus.get_config_timeout': vars.check_interval,
  'log.level': vars.log_level,
  ...vars.extra_flags,
})

/** A certificate is made out to the host's address or name, and not to its loopback. */
const prometheusUrl = (host: Host): string => {
  const web = besideIt(host)
  const { address = '127.0.0.1', port } = endpointOf(host, web)
  return `${hasTls(web) ? 'https' : 'http'}://${joined(hasTls(web) ? host.address : address, port)}${prefixOf(web)}`
}

const clientOf = (host: Host) => {
  const web = besideIt(host)
  return {
    ...(web.web_user && { basic_auth: web.web_user }),
    ...(hasTls(web) && web.web_client_tls && { tls_config: web.web_client_tls }),
  }
}

/** The settings of the Prometheus on the same host. Throws InputError where there is none. */
const besideIt = (host: Host) => {
  if (host.groups.includes('prometheus')) return prometheusOn(host)
  throw new InputError([
    {
      where: `host ${host.name}`,
      what: `is in group ${GROUP} and not in group prometheus: a sidecar shows the data of the Prometheus beside it`,
      fix: `Let ${GROUP} have the group prometheus as its child, or take the host out.`,
    },
  ])
}
