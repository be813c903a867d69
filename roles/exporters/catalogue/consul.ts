import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus/consul_exporter, cmd/consul_exporter/main.go (flags, port) and pkg/exporter, at each tag to v0.13.0; README.md: CONSUL_HTTP_TOKEN.
 */
export const consul = exporter({
  name: 'consul',
  summary: 'Health of services and members, as Consul has it',
  release: {
    owner: 'prometheus',
    repo: 'consul_exporter',
    name: 'consul_exporter',
    binaries: ['consul_exporter'],
  },
  port: 9107,
  flagVersions: {
    'consul.agent-only': { since: '0.11.0' },
    'consul.request-limit': { since: '0.7.0' },
    'meta.filter': { since: '0.11.0' },
    'web.config.file': { since: '0.8.0' },
  },
  environment: { CONSUL_HTTP_TOKEN: 'the ACL token' },
  up: 'consul_up',
  alerts: new URL('../files/consul.yml', import.meta.url),
})
