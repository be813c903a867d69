import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus/statsd_exporter, main.go (flags, ports 9102 and 9125, SIGHUP), at each tag from v0.18.0 to v0.30.0.
 */
export const statsd = exporter({
  name: 'statsd',
  summary: 'What is sent in the way of StatsD, as metrics',
  release: {
    owner: 'prometheus',
    repo: 'statsd_exporter',
    name: 'statsd_exporter',
    binaries: ['statsd_exporter'],
  },
  port: 9102,
  alsoListens: [
    { port: 9125, protocol: 'tcp' },
    { port: 9125, protocol: 'udp' },
  ],
  webConfigFlag: null,
  config: { flag: 'statsd.mapping-config', check: ['check-config'], reloads: true },
  flagVersions: {
    'statsd.relay.address': { since: '0.22.1' },
    'statsd.udp-packet-queue-size': { since: '0.25.0' },
  },
  alerts: new URL('../files/statsd.yml', import.meta.url),
})
