import { httpGate } from '../../lib/gates/http.ts'
import { RELEASES } from '../../lib/host-paths.ts'
import { byteCount } from '../../lib/inventory/schema/fields.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { systemUser } from '../../lib/kinds/user.ts'
import type { Gate, Role, Scope, WebServer } from '../../lib/model.ts'
import { webTasks } from '../../lib/program/certificates.ts'
import { webConfigFile } from '../../lib/program/certified.ts'
import type { Flags } from '../../lib/program/flags.ts'
import { memoryLimit } from '../../lib/program/memory-limit.ts'
import { staged } from '../../lib/program/release.ts'
import { handOver, until } from '../../lib/program/replaces.ts'
import { SANDBOX, sandbox } from '../../lib/program/sandbox.ts'
import { programService } from '../../lib/program/service.ts'
import { template } from '../../lib/program/template.ts'
import { endpointOf, hasTls, portOf, scrapeOf } from '../../lib/program/web.ts'
import { webMistakes } from '../../lib/program/web-mistakes.ts'
import { role } from '../../lib/role.ts'
import { type NodeExporterVars, nodeExporterVars } from './vars.ts'

const PROGRAM = { owner: 'prometheus', repo: 'node_exporter', name: 'node_exporter', binaries: ['node_exporter'] }
const USER = 'node-exp'
const WEB: WebServer = { role: 'node_exporter', folder: '/etc/node_exporter', user: USER }
const unitText = template<{
  user: string
  command: string
  limit: readonly string[]
  tls: boolean
  sandbox: readonly string[]
}>(import.meta.url, 'templates/node_exporter.service.ejs')

/** It shows the whole machine, which it may read and not change. */
const sees = sandbox({
  otherwise: {
    // No device is opened; a /dev of its own would hide what is mounted there.
    PrivateDevices: null,
    DevicePolicy: 'closed',
    // The mounts of the machine stand in /proc/1/mountinfo; its own would all show as read-only.
    ProtectProc: null,
    ProtectHome: 'read-only',
    PrivateTmp: null,
    // Whose a process, a file or a bus connection is.
    PrivateUsers: null,
    // Whether the clock is in step is asked by adjtimex(2), which ProtectClock= forbids altogether; to set it takes a privilege that it hasn't.
    ProtectClock: null,
    SystemCallFilter: [...SANDBOX.SystemCallFilter.value, 'adjtimex clock_adjtime'],
  },
})

/** Metrics of the machine itself. */
export const nodeExporter: Role<NodeExporterVars> = role<NodeExporterVars>({
  name: 'node_exporter',
  summary: 'Metrics of the machine itself: processor, memory, disks, network, and files that other programs leave.',
  group: 'node_exporter',
  vars: nodeExporterVars,
  web: WEB,
  service: 'node_exporter',
  release: PROGRAM,
  scrape: ({ vars }) => scrapeOf('node', vars),
  alerts: { name: 'node', file: new URL('../rules/files/node.yml', import.meta.url) },

  mistakes: (scope) => webMistakes(scope, scope.group('prometheus')),

  tasks({ host, vars, inventory }) {
    return [
      systemUser(USER),
      directory('/etc/node_exporter'),
      directory('/var/lib/node_exporter'),
      directory(vars.textfile_dir),
      ...webTasks({ host, vars, inventory }, WEB),
      staged(PROGRAM, vars.version, host),
      ...handOver(vars.replaces, { service: 'node_exporter', account: USER }),
      ...programService('node_exporter', {
        release: PROGRAM,
        version: vars.version,
        flags: flagsOf(vars),
        defaults: FLAG_DEFAULTS,
        unit: (command) =>
          unitText({ user: USER, command, limit: memoryLimit(vars.memory_max), tls: hasTls(vars), sandbox: sees }),
        reloads: false,
      }),
    ]
  },

  healthy: (scope) => answers(scope),
  serves: (scope) => answers(scope),
  needs: ({ vars }) => ({
    ports: [{ port: portOf(vars.listen), protocol: 'tcp', unit: 'node_exporter.service', ...until(vars.replaces) }],
    folders: [RELEASES],
    memoryBytes: vars.memory_max ? byteCount(vars.memory_max) : undefined,
  }),
})

const answers = ({ host, vars }: Pick<Scope<NodeExporterVars>, 'host' | 'vars'>): readonly Gate[] => [
  httpGate('node_exporter answers', endpointOf(host, vars), { path: '/' }),
]

/** Values that mean the same as leaving the flag out (`node_exporter --help`, 1.5 to 1.11). */
export const FLAG_DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  'web.listen-address': ['0.0.0.0:9100', ':9100'],
  'log.level': ['info'],
}

const flagsOf = (vars: NodeExporterVars): Flags => ({
  'web.listen-address': vars.listen,
  'web.config.file': vars.web_config && webConfigFile(WEB),
  'log.level': vars.log_level,
  'collector.textfile.directory': vars.textfile_dir,
  ...Object.fromEntries(vars.collectors.enable.map((name) => [`collector.${name}`, true])),
  ...Object.fromEntries(vars.collectors.disable.map((name) => [`collector.${name}`, false])),
  ...vars.extra_flags,
})
