import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/kbudde/rabbitmq_exporter, README.md and config.go (environment, port) at v1.0.0; .goreleaser.yml. From 3.8 on RabbitMQ shows metrics by itself
 * (`rabbitmq-plugins enable rabbitmq_prometheus`, port 15692), which needs no exporter: a job of `prometheus.targets`.
 */
export const rabbitmq = exporter({
  name: 'rabbitmq',
  summary: 'Metrics of RabbitMQ, from its management plugin',
  release: {
    owner: 'kbudde',
    repo: 'rabbitmq_exporter',
    name: 'rabbitmq_exporter',
    binaries: ['rabbitmq_exporter'],
    tarball: '{name}_{version}_{os}_{arch}.tar.gz',
    sums: 'checksums.txt',
    flat: true,
  },
  port: 9419,
  listenEnvironment: { address: 'PUBLISH_ADDR', port: 'PUBLISH_PORT' },
  webConfigFlag: null,
  environment: {
    RABBIT_URL: 'the management plugin; default: http://127.0.0.1:15672',
    RABBIT_USER: 'an account with the tag monitoring',
    RABBIT_PASSWORD: 'its password',
    RABBIT_CAPABILITIES: 'default: bert,no_sort',
  },
  up: 'rabbitmq_up',
  alerts: new URL('../files/rabbitmq.yml', import.meta.url),
})
