import { Secret } from './secret.ts'

/**
 * Fields that Prometheus and Alertmanager themselves hide as `<secret>`, so that a password written plainly in the inventory is as
 * unprintable as one that is referred to. Source: the fields whose Go type is Secret or SecretURL in Prometheus 3's `discovery/`,
 * `storage/remote/` and `config/`, in prometheus/common's `config/` and in Alertmanager 0.3x's `config/` and `notify/`; and `access_key`, the
 * name that belongs to a `secret_key`. A webhook's `url` where it has a query, or a long word in its path, as tokens have it: others are only addresses, which a diff
 * should show.
 */
const FIELDS: ReadonlySet<string> = new Set(
  [
    // Any HTTP client: basic_auth, authorization, oauth2, sigv4, azuread
    'password bearer_token credentials client_secret client_certificate_key certificate_password secret_key access_key',
    // Service discovery
    'token auth_token application_secret consumer_key application_credential_secret key_passphrase service_account_key private_key',
    // Receivers
    'auth_password auth_secret routing_key service_key user_key bot_token token_id app_token api_key api_secret alert_source_token webhook_url',
    // Alertmanager's global section
    'smtp_auth_password smtp_auth_secret slack_api_url slack_app_token victorops_api_key opsgenie_api_key wechat_api_secret',
    'telegram_bot_token rocketchat_token rocketchat_token_id mattermost_webhook_url',
  ].flatMap((names) => names.split(' ')),
)
/** Fields that are secret in some places only: a private key in TLS settings; Slack's address, which lets anyone who has it write. */
const INSIDE: Readonly<Record<string, ReadonlySet<string>>> = {
  tls_config: new Set(['key']),
  slack_configs: new Set(['api_url']),
  http_headers: new Set(['secrets']),
}
/** Places of those, by the field that holds them. */
const placeOf = (key: string): string | undefined => {
  if (key.endsWith('tls_config') || key === 'tls_server_config') return 'tls_config'
  return key === 'http_headers' || key.endsWith('_configs') ? key : undefined
}

/** The same settings with a Secret in place of each text that such a field holds, of addresses with a login in them, and of password hashes. */
export const sealKnownSecrets = <T>(settings: T): T => seal(settings, '') as T

const seal = (value: unknown, inside: string): unknown => {
  if (Array.isArray(value)) return value.map((item) => seal(item, inside))
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sealField(key, item, inside)]))
}

const sealField = (key: string, value: unknown, inside: string): unknown => {
  if (FIELDS.has(key) || (Object.hasOwn(INSIDE, inside) && INSIDE[inside]?.has(key))) return sealAll(value)
  if (typeof value === 'string' && inside === 'webhook_configs' && key === 'url' && TOKEN.test(value))
    return new Secret(value)
  if (typeof value === 'string' && ((isAddress(key) && LOGIN.test(value)) || BCRYPT.test(value)))
    return new Secret(value)
  if (Array.isArray(value) && isAddress(key)) return value.map((item) => sealField(key, item, inside))
  return seal(value, placeOf(key) ?? inside)
}

/** A text, a number that our YAML read where upstream reads a text, or each of a list. */
const sealAll = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sealAll)
  if (typeof value === 'number') return new Secret(String(value))
  return typeof value === 'string' && value !== '' ? new Secret(value) : value
}

const isAddress = (key: string): boolean => /(^|_)(url|uri|server|endpoint)s?$/.test(key)
/** An address whose authority has a user, who may be a token, before its host (RFC 3986, section 3.2.1). */
const LOGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*@/i
/** A query, or a word of 16 letters and digits or more in the path. */
const TOKEN = /^https?:\/\/[^/?#]*(?:[^?#]*\?.|\/[^?#]*(?<![\w-])[\w-]{16,}(?![\w-]))/i
/** As `basic_auth_users` of a web configuration has them. */
const BCRYPT = /^\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}$/

/**
 * A file's text, as it stands on a host, with `[secret]` in place of what such fields hold there, for a diff: YAML in blocks and lists, JSON,
 * logins in addresses and password hashes. Rather too much than too little: it goes by a field's name, wherever it stands.
 */
export const hideKnownSecrets = (text: string): string => {
  let block: number | undefined
  return text
    .split('\n')
    .map((line) => {
      const indent = /^[ ]*/.exec(line)?.[0].length ?? 0
      const listed = line.startsWith('-', indent)
      if (block !== undefined && (line.trim() === '' || indent > block || (indent === block && listed)))
        return line.trim() === '' ? line : `${' '.repeat(indent)}${listed ? '- ' : ''}${HIDDEN}`
      const [, head = '', name = '', value = ''] = FIELD.exec(line) ?? []
      block = isHidden(name) && /^([|>][-+\d]*)?\s*(#.*)?$/.test(value) ? head.search(/[^ -]/) : undefined
      const [, set = '', setting = ''] = SETTING.exec(line) ?? []
      if (FIELDS.has(setting.toLowerCase())) return `${set}${HIDDEN}`
      const token = name === 'url' && TOKEN.test(value.replace(/^["']/, ''))
      return (isHidden(name) || token) && block === undefined ? `${head}${HIDDEN}` : withoutLogins(line)
    })
    .join('\n')
}

const HIDDEN = '[secret]'
const isHidden = (name: string): boolean => FIELDS.has(name) || ['key', 'api_url', 'secrets'].includes(name)
const FIELD = /^(\s*(?:- +)*["']?(\w+)["']? *: *)(.*)$/
/** As a file of settings has it that is no YAML. */
const SETTING = /^(\s*(?:export +)?(\w+)\s*=\s*)(?=\S)/
/** Looked for from where a word begins only, so that one long word takes no longer than to read it. */
const withoutLogins = (line: string): string =>
  line
    .replaceAll(/(["']?)(?<!\w)(\w+)\1( *: *)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,{}[\]"']+)/g, (all, quote, name, colon) =>
      isHidden(name) ? `${quote}${name}${quote}${colon}"${HIDDEN}"` : all,
    )
    .replaceAll(/(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*:\/\/)[^/?#\s"'@]*@/gi, `$1${HIDDEN}@`)
    .replaceAll(/\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}/g, HIDDEN)
