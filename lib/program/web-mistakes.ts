import type { Host, Scope, SettingMistake } from '../model.ts'
import { Secret } from '../secret.ts'
import type { Web } from './web.ts'

/**
 * What of a web server's settings doesn't agree: users without one who Vestal and Prometheus can be, hashes that are none, and a listener that other
 * machines of the fleet can't reach; `scrapedBy` are the hosts that ask it for metrics.
 */
export const webMistakes = ({ host, vars }: Scope<Web>, scrapedBy: readonly Host[]): readonly SettingMistake[] => [
  ...userMistakes(vars),
  ...listenMistakes(
    vars,
    scrapedBy.some((one) => one !== host),
  ),
]

const userMistakes = ({ web_config, web_user }: Web): readonly SettingMistake[] => {
  const users = (web_config as { readonly basic_auth_users?: unknown } | undefined)?.basic_auth_users
  if (typeof users !== 'object' || users === null) return []
  const path = ['web_config', 'basic_auth_users']
  const names = Object.keys(users)
  const damaged = Object.entries(users)
    .filter(([, hash]) => !BCRYPT.test(hash instanceof Secret ? hash.reveal() : String(hash)))
    .map(([name]) => ({
      path: [...path, name],
      what: 'is no bcrypt hash',
      fix: 'write what `htpasswd -nBC 10 NAME` prints after the name: $2y$10$ and 53 more characters',
    }))
  if (names.length === 0) return damaged
  if (!web_user)
    return [
      ...damaged,
      {
        path,
        what: 'the web server asks for a password, and there is no `web_user`: gates, `status` and Prometheus could not ask it',
        fix: 'set web_user: { username: …, password: { $env: NAME } } to one of these users',
      },
    ]
  if (names.includes(web_user.username)) return damaged
  return [
    ...damaged,
    { path: ['web_user', 'username'], what: `is none of the users: ${names.join(', ')}`, fix: 'name one of them' },
  ]
}

/** As golang.org/x/crypto/bcrypt reads one. */
const BCRYPT = /^\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}$/

const listenMistakes = ({ listen }: Web, scrapedFromElsewhere: boolean): readonly SettingMistake[] =>
  scrapedFromElsewhere && /^(127\.|localhost:|\[::1\])/.test(listen)
    ? [
        {
          path: ['listen'],
          what: `${listen} is this machine's own loopback, where those who scrape it from other machines do not reach it`,
          fix: 'listen on an address of the network, or on 0.0.0.0',
        },
      ]
    : []
