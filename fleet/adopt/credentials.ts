/** Secrets of a configuration: those that stand in it, and those in files that it names. None of them is ever written but as a file of its own. */
import { sealKnownSecrets } from '../../lib/known-secrets.ts'
import { Secret } from '../../lib/secret.ts'
import type { FoundFile } from './look.ts'
import type { Told } from './program.ts'
import { isMapping, plainData, type Tree, textIn, type Written } from './yaml-tree.ts'

/**
 * Fields that name a file with a secret in it, each beside one that takes the secret itself: of prometheus/common's HTTP client, of Prometheus' service
 * discovery, and of Alertmanager's receivers and its global section (its config/notifiers.go and config/config.go).
 */
const IN_FILES: ReadonlySet<string> = new Set(
  [
    'password credentials bearer_token client_secret',
    'smtp_auth_password smtp_auth_secret slack_api_url slack_app_token opsgenie_api_key victorops_api_key telegram_bot_token wechat_api_secret rocketchat_token rocketchat_token_id',
    'auth_password auth_secret api_url routing_key service_key user_key token bot_token api_key api_secret app_token webhook_url url token_id',
  ].flatMap((names) => names.split(' ').map((name) => `${name}_file`)),
)
/** Files that stay where they are: the programs read them again by themselves, and often others renew them. */
const STAYING: ReadonlySet<string> = new Set(['ca_file', 'cert_file', 'key_file'])

/** A file that a configuration names, and where it does. */
export interface Named {
  readonly path: readonly (string | number)[]
  readonly key: string
  /** On the host, from its root. */
  readonly file: string
}

/** The files with secrets and certificates that a tree names; `place` says where on the host a path of the configuration is. */
export const namedFiles = (tree: Tree, place: (path: string) => string): readonly Named[] => {
  const found: Named[] = []
  visit(tree, [], (key, value, path) => {
    const text = textIn(value)
    if (text !== undefined && text !== '' && (IN_FILES.has(key) || STAYING.has(key)))
      found.push({ path, key, file: place(text) })
  })
  return found
}

const visit = (
  tree: Tree,
  path: readonly (string | number)[],
  each: (key: string, value: Tree, path: readonly (string | number)[]) => void,
): void => {
  if (Array.isArray(tree)) for (const [at, one] of tree.entries()) visit(one, [...path, at], each)
  if (!isMapping(tree)) return
  for (const [key, value] of Object.entries(tree)) {
    each(key, value, [...path, key])
    visit(value, [...path, key], each)
  }
}

interface Reading {
  readonly place: (path: string) => string
  readonly files: ReadonlyMap<string, FoundFile>
  /** The account that the service will have. */
  readonly account: string
  readonly at: Written['at']
}

/** The tree with its secrets in it as such, those of files too, and with the paths of other files from the root. */
export const withSecrets = (tree: Tree, reading: Reading): { readonly tree: Tree; readonly told: readonly Told[] } => {
  const told: Told[] = []
  const sealed = withKnownSecrets(tree)
  const read = (value: Tree, path: readonly (string | number)[]): Tree => {
    if (Array.isArray(value)) return value.map((one, at) => read(one, [...path, at]))
    if (!isMapping(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => {
        const here = [...path, key]
        const text = textIn(one)
        if (text === undefined || text === '' || !(IN_FILES.has(key) || STAYING.has(key))) return [key, read(one, here)]
        const file = reading.place(text)
        const found = reading.files.get(file)
        if (IN_FILES.has(key) && found?.text !== undefined)
          return [key.replace(/_file$/, ''), new Secret(found.text.trim())]
        told.push(...staysAs(file, found, { ...reading, where: reading.at(here) }))
        return [key, file]
      }),
    )
  }
  return { tree: read(sealed, []), told }
}

/** The tree with the secrets in it as such: those that the programs hide themselves, and hashes of passwords. */
export const withKnownSecrets = (tree: Tree): Tree => seal(tree, sealKnownSecrets(plainData(tree)))

/** What `sealKnownSecrets` has hidden is a secret; all else stays as it was written. */
const seal = (tree: Tree, sealed: unknown): Tree => {
  if (sealed instanceof Secret) return sealed
  if (Array.isArray(tree)) return tree.map((one, at) => seal(one, (sealed as readonly unknown[])[at]))
  if (!isMapping(tree)) return tree
  return Object.fromEntries(
    Object.entries(tree).map(([key, one]) => [key, seal(one, (sealed as Readonly<Record<string, unknown>>)[key])]),
  )
}

/** Who reads it now goes on doing so: it is read anew with each connection. Where that is a group, the account joins it. */
const letsRead = ({ mode, group }: FoundFile, file: string, account: string): string =>
  /[4-7].$/.test(mode) && group !== 'root'
    ? `id ${account} >/dev/null 2>&1 || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin ${account}; usermod --append --groups ${group} ${account}`
    : `getent group ${account} >/dev/null || groupadd --system ${account}; chgrp ${account} ${file} && chmod g+r ${file}`

/** What is to be said of a file that stays where it is on the machine, for a service that will have this account. */
export const staysAs = (
  file: string,
  found: FoundFile | undefined,
  { account, where }: { readonly account: string; readonly where: string },
): readonly Told[] => {
  if (!found) return [{ kind: 'left', where, what: `names ${file}, which is not on the machine` }]
  const readable =
    /[4-7]$/.test(found.mode) ||
    (found.user === account && /[4-7]..$/.test(found.mode)) ||
    (found.group === account && /[4-7].$/.test(found.mode))
  if (/^\/(home|root|run\/user|tmp|var\/tmp)\//.test(file))
    return [{ kind: 'left', where, what: `names ${file}, which a service of Vestal’s can’t see: move it below /etc` }]
  return readable
    ? []
    : [
        {
          kind: 'left',
          where,
          what: `names ${file} (${found.user}:${found.group} ${found.mode}), which the account ${account} can’t read`,
          fix: `Before the first deploy: ${letsRead(found, file, account)}`,
        },
      ]
}
