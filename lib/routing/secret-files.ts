import compare from 'semver/functions/compare.js'
import { Secret } from '../secret.ts'

/**
 * Fields of receivers that have a twin ending in `_file`, and the Alertmanager version that knows the twin first; null: 0.25 does
 * already. Source: `config/notifiers.go` at each tag. The version counts below the kind of receiver.
 */
const WITH_FILE: Readonly<Record<string, Readonly<Record<string, string | null>>>> = {
  email_configs: { auth_password: null, auth_secret: '0.31.0' },
  slack_configs: { api_url: null, app_token: '0.30.0' },
  pagerduty_configs: { routing_key: null, service_key: null },
  opsgenie_configs: { api_key: null },
  victorops_configs: { api_key: null },
  pushover_configs: { user_key: '0.26.0', token: '0.26.0' },
  telegram_configs: { bot_token: '0.26.0' },
  webhook_configs: { url: '0.26.0' },
  discord_configs: { webhook_url: '0.27.0' },
  msteams_configs: { webhook_url: '0.27.0' },
  msteamsv2_configs: { webhook_url: null },
  rocketchat_configs: { token: null, token_id: null },
  incidentio_configs: { alert_source_token: null },
  mattermost_configs: { webhook_url: null },
  wechat_configs: { api_secret: '0.31.0' },
}
/** The same below any receiver's `http_config`: the client library has had these all along. */
const HTTP: Readonly<Record<string, string>> = {
  password: 'password_file',
  credentials: 'credentials_file',
  client_secret: 'client_secret_file',
}

export interface SecretFile {
  readonly name: string
  readonly content: Secret
}

/** A receiver's block with `…_file` in place of each secret whose twin this version knows; other secrets stay where they are. */
export const toFiles = (
  block: Readonly<Record<string, unknown>>,
  { kind, version, folder, prefix }: { kind: string; version: string; folder: string; prefix: string },
): { readonly block: Readonly<Record<string, unknown>>; readonly files: readonly SecretFile[] } => {
  const files: SecretFile[] = []
  const put = (content: Secret, path: readonly string[]): string => {
    const name = [prefix, ...path].join('.')
    files.push({ name, content })
    return `${folder}/${name}`
  }
  const inside = (value: unknown, path: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((item, at) => inside(item, [...path, String(at)]))
    if (typeof value !== 'object' || value === null || value instanceof Secret) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const twin = twinOf(key, path, { kind, version })
        return item instanceof Secret && twin ? [twin, put(item, [...path, key])] : [key, inside(item, [...path, key])]
      }),
    )
  }
  return { block: inside(block, []) as Readonly<Record<string, unknown>>, files }
}

const twinOf = (
  key: string,
  path: readonly string[],
  { kind, version }: { kind: string; version: string },
): string | undefined => {
  if (path[0] === 'http_config') return HTTP[key]
  if (path.length > 0) return undefined
  const since = WITH_FILE[kind]?.[key]
  return since === undefined || (since !== null && compare(version, since) < 0) ? undefined : `${key}_file`
}
