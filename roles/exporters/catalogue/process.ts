import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/ncabatoff/process-exporter, cmd/process-exporter/main.go (flags are Go's own; port 9256; at each tag to v0.8.7), README.md ("Configuration";
 * what it reads below /proc of other accounts takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH), .goreleaser.yml (checksums.txt).
 */
export const processes = exporter({
  name: 'process',
  summary: 'Metrics of processes, in groups by name',
  release: {
    owner: 'ncabatoff',
    repo: 'process-exporter',
    name: 'process-exporter',
    binaries: ['process-exporter'],
    sums: 'checksums.txt',
  },
  package: { name: 'prometheus-process-exporter', binary: '/usr/bin/prometheus-process-exporter' },
  port: 9256,
  goFlags: true,
  config: {
    flag: 'config.path',
    default: { process_names: [{ name: '{{.Comm}}', cmdline: ['.+'] }] },
  },
  flagVersions: {
    'gather-smaps': { since: '0.7.0' },
    'recheck-with-time-limit': { since: '0.8.0' },
    'remove-empty-groups': { since: '0.8.3' },
    'web.config.file': { since: '0.7.10' },
  },
  sandbox: {
    why: 'it reads what the kernel says of the processes of all accounts',
    otherwise: {
      AmbientCapabilities: 'CAP_SYS_PTRACE CAP_DAC_READ_SEARCH',
      CapabilityBoundingSet: 'CAP_SYS_PTRACE CAP_DAC_READ_SEARCH',
      PrivateUsers: null,
      ProtectProc: null,
    },
  },
  alerts: new URL('../files/process.yml', import.meta.url),
})
