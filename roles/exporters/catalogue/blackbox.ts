import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus/blackbox_exporter, main.go (flags, port, at each tag to v0.28.0), CONFIGURATION.md (modules), README.md ("Permissions": ICMP takes
 * CAP_NET_RAW; "Checking the results", "Prometheus Configuration": /probe with `target` and `module`; SIGHUP reads the configuration again).
 */
export const blackbox = exporter({
  name: 'blackbox',
  summary: 'Probes of HTTP, TCP, ICMP, DNS and gRPC from outside',
  release: {
    owner: 'prometheus',
    repo: 'blackbox_exporter',
    name: 'blackbox_exporter',
    binaries: ['blackbox_exporter'],
  },
  package: { name: 'prometheus-blackbox-exporter', binary: '/usr/bin/prometheus-blackbox-exporter' },
  port: 9115,
  config: {
    flag: 'config.file',
    default: {
      modules: {
        http_2xx: { prober: 'http' },
        tcp_connect: { prober: 'tcp' },
        icmp: { prober: 'icmp' },
      },
    },
    check: ['config.check'],
    reloads: true,
  },
  flagVersions: {
    'config.auto-reload-interval': { since: '0.28.0' },
    'config.check': { since: '0.13.0' },
    'config.enable-auto-reload': { since: '0.28.0' },
    'history.limit': { since: '0.13.0' },
    'log.prober': { since: '0.25.0' },
    'web.config.file': { since: '0.19.0' },
  },
  probe: { path: '/probe', module: 'module', moduleNeeded: true },
  sandbox: {
    why: 'ICMP packets are raw',
    otherwise: {
      AmbientCapabilities: 'CAP_NET_RAW',
      CapabilityBoundingSet: 'CAP_NET_RAW',
      PrivateUsers: null,
    },
  },
  alerts: new URL('../files/blackbox.yml', import.meta.url),
})
