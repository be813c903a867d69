import { milliseconds } from '../../lib/duration.ts'
import type { Duration, Inventory } from '../../lib/model.ts'
import { Secret } from '../../lib/secret.ts'
import { PLACE } from './heartbeat-vars.ts'
import type { AlertmanagerVars } from './vars.ts'

/** Fires always, on every Prometheus; each Alertmanager is sent one of its own by each. */
export const PATH_ALERT = 'VestalPath'
/** The labels of such an alert that say which path it has taken. */
export const PATH_LABELS = { from: 'prometheus', through: 'alertmanager' } as const
const NOWHERE = 'vestal-path'

/** One way of an alert: from a Prometheus through an Alertmanager. */
export interface Path {
  readonly prometheus: string
  readonly alertmanager: string
}

/** Every path of a fleet, by the names of its hosts. */
export const pathsOf = ({ hosts }: Pick<Inventory, 'hosts'>): readonly Path[] => {
  const named = (group: string) => hosts.filter(({ groups }) => groups.includes(group)).map(({ name }) => name)
  return named('prometheus').flatMap((prometheus) =>
    named('alertmanager').map((alertmanager) => ({ prometheus, alertmanager })),
  )
}

/** What a path is called in URLs and receivers' names: letters, digits and hyphens. */
export const pathName = ({ prometheus, alertmanager }: Path): string =>
  `${prometheus}-through-${alertmanager}`.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-')

type Config = AlertmanagerVars['config']

/**
 * The configuration with a route for each path in front of all others: its alerts go to a URL of its own, and to no human. An Alertmanager holds the alerts of
 * its own paths alone, so that none of the others notifies in its place.
 */
export const withHeartbeats = (
  config: Config,
  heartbeats: AlertmanagerVars['heartbeats'],
  paths: readonly Path[],
): Config => {
  if (!heartbeats) return config
  const { url, every, receivers, receivers_every } = heartbeats
  const others = Array.isArray(config.route.routes) ? config.route.routes : []
  const own = paths.map((path) => ({
    receiver: receiverOf(path),
    matchers: [
      `${PATH_LABELS.from}=${JSON.stringify(path.prometheus)}`,
      `${PATH_LABELS.through}=${JSON.stringify(path.alertmanager)}`,
    ],
    ...pace(every),
    continue: true,
  }))
  const also = receivers.map((receiver) => ({ receiver, ...pace(receivers_every), continue: true }))
  const route = {
    receiver: NOWHERE,
    matchers: [`alertname="${PATH_ALERT}"`, 'vestal="path"'],
    group_by: ['...'],
    group_wait: '0s',
    routes: [...own, ...also],
  }
  return {
    ...config,
    route: { ...config.route, routes: [route, ...others] },
    receivers: [
      ...config.receivers,
      { name: NOWHERE },
      ...paths.map((path) => ({
        name: receiverOf(path),
        webhook_configs: [{ url: new Secret(url.reveal().replaceAll(PLACE, pathName(path))), send_resolved: false }],
      })),
    ],
  }
}

const receiverOf = (path: Path): string => `${NOWHERE}-${pathName(path)}`

/** A group is looked at twice in a turn, and notified at the first look after three quarters of one: what was notified is written down a little after the look. */
const pace = (every: Duration) => {
  const seconds = milliseconds(every) / 1000
  return { group_interval: `${Math.floor(seconds / 2)}s`, repeat_interval: `${Math.floor((seconds * 3) / 4)}s` }
}
