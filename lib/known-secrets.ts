import { Secret } from './secret.ts'

/**
 * Fields that Prometheus and Alertmanager themselves hide as `<secret>` (their documentation, "Configuration"), so that a password
 * written plainly in the inventory is as unprintable as one that is referred to. Not `url`: most webhook addresses are no secret.
 */
const FIELDS: ReadonlySet<string> = new Set(
  `password auth_password auth_secret routing_key smtp_auth_password smtp_auth_secret bearer_token credentials client_secret
   secret_key access_key token token_id bot_token user_key api_key api_secret service_key app_token webhook_url
   alert_source_token slack_api_url slack_app_token victorops_api_key opsgenie_api_key wechat_api_secret`.split(/\s+/),
)
/** Slack's `api_url` lets anyone who has it write; elsewhere it is only an address. */
const SLACK = 'slack_configs'

/** The same settings with a Secret in place of each text that such a field holds. */
export const sealKnownSecrets = <T>(settings: T): T => seal(settings, '') as T

const seal = (value: unknown, inside: string): unknown => {
  if (Array.isArray(value)) return value.map((item) => seal(item, inside))
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sealField(key, item, inside)]))
}

const sealField = (key: string, value: unknown, inside: string): unknown => {
  const hidden = FIELDS.has(key) || (key === 'api_url' && inside === SLACK)
  if (hidden && typeof value === 'string' && value !== '') return new Secret(value)
  return seal(value, key.endsWith('_configs') ? key : inside)
}
