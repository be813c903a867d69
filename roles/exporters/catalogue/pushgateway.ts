import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus/pushgateway, main.go (flags, port) and storage/diskmetricstore.go, at each tag to v1.11.3; README.md: what is scraped keeps its own labels
 * (`honor_labels`).
 */
export const pushgateway = exporter({
  name: 'pushgateway',
  summary: 'Metrics that short jobs leave for Prometheus',
  release: {
    owner: 'prometheus',
    repo: 'pushgateway',
    name: 'pushgateway',
    binaries: ['pushgateway'],
  },
  package: { name: 'prometheus-pushgateway', binary: '/usr/bin/prometheus-pushgateway' },
  port: 9091,
  flags: { 'persistence.file': '/var/lib/pushgateway/metrics' },
  flagVersions: {
    'push.enable-utf8-names': { since: '1.11.0' },
    'web.config.file': { since: '1.4.0' },
  },
  scrapeConfig: { honor_labels: true },
  folders: ['/var/lib/pushgateway'],
  alerts: new URL('../files/pushgateway.yml', import.meta.url),
})
