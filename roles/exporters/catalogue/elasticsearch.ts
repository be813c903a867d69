import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus-community/elasticsearch_exporter, main.go and collector/ (flags, port), at each tag to v1.11.0, and CHANGELOG.md for those that it
 * renamed.
 */
export const elasticsearch = exporter({
  name: 'elasticsearch',
  summary: 'Metrics of Elasticsearch and OpenSearch',
  release: {
    owner: 'prometheus-community',
    repo: 'elasticsearch_exporter',
    name: 'elasticsearch_exporter',
    binaries: ['elasticsearch_exporter'],
  },
  package: { name: 'prometheus-elasticsearch-exporter', binary: '/usr/bin/prometheus-elasticsearch-exporter' },
  port: 9114,
  flagVersions: {
    'aws.role-arn': { since: '1.6.0' },
    'collector.clustersettings': { since: '1.6.0' },
    'collector.data-stream': { since: '1.10.0' },
    'collector.ilm': { since: '1.10.0' },
    'collector.slm': { since: '1.9.0' },
    'collector.snapshots': { since: '1.7.0' },
    'es.cluster_settings': { until: '1.6.0' },
    'es.data_stream': { until: '1.10.0' },
    'es.ilm': { since: '1.6.0', until: '1.10.0' },
    'es.slm': { until: '1.9.0' },
    'es.snapshots': { until: '1.7.0' },
    'tasks.actions': { since: '1.8.0' },
    'web.config.file': { since: '1.6.0' },
  },
  environment: {
    ES_USERNAME: 'the account, where `--es.uri` has none',
    ES_PASSWORD: 'its password',
    ES_API_KEY: 'a key in place of both',
  },
  alerts: new URL('../files/elasticsearch.yml', import.meta.url),
})
