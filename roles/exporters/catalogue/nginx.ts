import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/nginx/nginx-prometheus-exporter, exporter.go and README.md (flags, port), at each tag to v1.5.3: 1.0.0 went from Go's own flags to kingpin.
 * .goreleaser.yml leaves the names of files to goreleaser.
 */
export const nginx = exporter({
  name: 'nginx',
  summary: 'Metrics of NGINX, from its stub_status page',
  release: {
    owner: 'nginx',
    repo: 'nginx-prometheus-exporter',
    name: 'nginx-prometheus-exporter',
    binaries: ['nginx-prometheus-exporter'],
    tarball: '{name}_{version}_{os}_{arch}.tar.gz',
    sums: '{name}_{version}_checksums.txt',
    flat: true,
  },
  package: { name: 'prometheus-nginx-exporter', binary: '/usr/bin/prometheus-nginx-exporter' },
  port: 9113,
  goFlags: { until: '1.0.0' },
  flagVersions: {
    'nginx.proxy-protocol': { since: '1.5.0' },
    'nginx.retries': { until: '1.0.0' },
    'prometheus.const-label': { since: '1.0.0' },
    'web.config.file': { since: '1.0.0' },
    'web.secured-metrics': { until: '1.0.0' },
    'web.ssl-server-cert': { until: '1.0.0' },
    'web.ssl-server-key': { until: '1.0.0' },
  },
  up: 'nginx_up',
  alerts: new URL('../files/nginx.yml', import.meta.url),
})
