import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/ribbybibby/ssl_exporter, ssl_exporter.go (flags, port, /probe) and config/config.go (modules without a configuration), at each tag to v2.4.3; .goreleaser.yaml
 * leaves the names of files to goreleaser.
 */
export const ssl = exporter({
  name: 'ssl',
  summary: 'Certificates of servers and in files',
  release: {
    owner: 'ribbybibby',
    repo: 'ssl_exporter',
    name: 'ssl_exporter',
    binaries: ['ssl_exporter'],
    tarball: '{name}_{version}_{os}_{arch}.tar.gz',
    sums: '{name}_{version}_checksums.txt',
    flat: true,
  },
  port: 9219,
  webConfigFlag: null,
  config: { flag: 'config.file' },
  flagVersions: { 'config.file': { since: '2.0.0' } },
  probe: { path: '/probe', module: 'module' },
  alerts: new URL('../files/ssl.yml', import.meta.url),
})
