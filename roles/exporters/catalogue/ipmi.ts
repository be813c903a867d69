import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus-community/ipmi_exporter, main.go (flags, port, /ipmi with `module`; SIGHUP reads the configuration again), at each tag to v1.10.1; README.md: it
 * runs the tools of FreeIPMI, as root for the machine's own.
 */
export const ipmi = exporter({
  name: 'ipmi',
  summary: 'Sensors of machines, by IPMI',
  release: {
    owner: 'prometheus-community',
    repo: 'ipmi_exporter',
    name: 'ipmi_exporter',
    binaries: ['ipmi_exporter'],
  },
  package: { name: 'prometheus-ipmi-exporter', binary: '/usr/bin/prometheus-ipmi-exporter' },
  port: 9290,
  config: { flag: 'config.file', reloads: true },
  flagVersions: {
    'native-ipmi': { since: '1.10.0' },
    'web.config.file': { since: '1.5.2' },
  },
  packages: ['freeipmi-tools'],
  runsAs: 'root',
  probe: { path: '/ipmi', module: 'module' },
  sandbox: {
    why: 'FreeIPMI speaks to the management controller',
    otherwise: { CapabilityBoundingSet: 'CAP_SYS_RAWIO', PrivateDevices: null, PrivateUsers: null },
  },
  alerts: new URL('../files/ipmi.yml', import.meta.url),
})
