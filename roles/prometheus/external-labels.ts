import major from 'semver/functions/major.js'

/**
 * A label's value as `external_labels` must hold it so that Prometheus reads it unchanged: from 3.0 on it expands `$NAME` and
 * `${NAME}` from its environment and reads `$$` as `$`; before, only behind a feature flag. (prometheus `config/config.go`, `docs/migration.md`)
 */
export const externalLabel = (version: string, value: string): string =>
  major(version) >= 3 ? value.replaceAll('$', '$$$$') : value

/** Labels as `external_labels` must hold them for a version. */
export const externalLabels = (version: string, labels: Readonly<Record<string, string>>): typeof labels =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, externalLabel(version, value)]))
