import { exporter } from '../../../lib/program/exporter.ts'

/**
 * Source: https://github.com/prometheus-community/json_exporter, cmd/main.go (flags, port, /probe with `module`, which is `default` without), at each tag from v0.2.0 to v0.7.0.
 */
export const json = exporter({
  name: 'json',
  summary: 'Values of JSON that web servers answer with',
  release: {
    owner: 'prometheus-community',
    repo: 'json_exporter',
    name: 'json_exporter',
    binaries: ['json_exporter'],
  },
  port: 7979,
  webConfigFlag: ['web.config.file', 'web.config'],
  config: { flag: 'config.file', needed: true, check: ['config.check'] },
  flagVersions: {
    'web.config': { since: '0.3.0', until: '0.6.0' },
    'web.config.file': { since: '0.6.0' },
  },
  probe: { path: '/probe', module: 'module' },
})
