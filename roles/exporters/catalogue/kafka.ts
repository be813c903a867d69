import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/danielqsj/kafka_exporter, kafka_exporter.go (flags, port, SASL_USER_PASSWORD) at v1.9.0; .promu.yml.
 */
export const kafka = exporter({
  name: 'kafka',
  summary: 'Topics, partitions and consumer groups of Kafka',
  release: {
    owner: 'danielqsj',
    repo: 'kafka_exporter',
    name: 'kafka_exporter',
    binaries: ['kafka_exporter'],
  },
  port: 9308,
  environment: { SASL_USER_PASSWORD: 'the password of --sasl.username' },
  secretFlags: { 'sasl.password': 'write SASL_USER_PASSWORD in `environment`' },
  alerts: new URL('../files/kafka.yml', import.meta.url),
})
