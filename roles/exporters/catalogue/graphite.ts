import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus/graphite_exporter, main.go (flags, ports 9108 and 9109), at each tag from v0.4.1 to v0.17.0.
 */
export const graphite = exporter({
  name: 'graphite',
  summary: 'What is sent in the way of Graphite, as metrics',
  release: {
    owner: 'prometheus',
    repo: 'graphite_exporter',
    name: 'graphite_exporter',
    binaries: ['graphite_exporter'],
  },
  port: 9108,
  alsoListens: [
    { port: 9109, protocol: 'tcp' },
    { port: 9109, protocol: 'udp' },
  ],
  webConfigFlag: ['web.config.file', 'web.config'],
  config: { flag: 'graphite.mapping-config' },
  flagVersions: {
    'check-config': { since: '0.10.0' },
    'graphite.cache-size': { since: '0.7.0' },
    'graphite.cache-type': { since: '0.8.0' },
    'web.config': { since: '0.12.0', until: '0.13.0' },
    'web.config.file': { since: '0.13.0' },
  },
  alerts: new URL('../files/graphite.yml', import.meta.url),
})
