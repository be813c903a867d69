import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus-community/smartctl_exporter, main.go (flags, port) and metrics.go, at each tag from v0.8.0 to v0.14.0; README.md: smartctl 7 or later, as root.
 */
export const smartctl = exporter({
  name: 'smartctl',
  summary: 'Health of disks, as smartctl sees it',
  release: {
    owner: 'prometheus-community',
    repo: 'smartctl_exporter',
    name: 'smartctl_exporter',
    binaries: ['smartctl_exporter'],
  },
  package: {
    name: 'prometheus-smartctl-exporter',
    unit: 'smartctl_exporter',
    binary: '/usr/bin/smartctl_exporter',
  },
  port: 9633,
  flagVersions: {
    'smartctl.powermode-check': { since: '0.14.0' },
    'smartctl.rescan': { since: '0.10.0' },
    'smartctl.scan': { since: '0.13.0' },
    'web.config.file': { since: '0.8.0' },
  },
  packages: ['smartmontools'],
  runsAs: 'root',
  sandbox: {
    why: 'it speaks to disks',
    otherwise: {
      CapabilityBoundingSet: 'CAP_DAC_OVERRIDE CAP_SYS_ADMIN CAP_SYS_RAWIO',
      PrivateDevices: null,
      PrivateUsers: null,
    },
  },
  alerts: new URL('../files/smartctl.yml', import.meta.url),
})
