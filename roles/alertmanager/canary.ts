import { command } from '../../lib/kinds/command.ts'
import type { Duration, Task } from '../../lib/model.ts'
import { word } from '../../lib/shell.ts'
import type { AlertmanagerVars } from './vars.ts'

type Config = AlertmanagerVars['config']

export const CANARY_ALERT = 'VestalCanary'
/** The receiver of canary alerts, and of nothing else. */
export const CANARY_RECEIVER = 'vestal-canary'
/** The file on a member's host with what its receiver of canary alerts proves itself with. */
export const CANARY_TOKEN = '/etc/alertmanager/canary-token'

/**
 * The configuration with a route for canary alerts in front of all others, so that no other takes one, and its receiver on the member's own
 * loopback. Each alert is a group of its own (`...`), as otherwise one that lasts would delay news of the others.
 */
export const withCanary = (config: Config, { enabled, port, group_interval }: AlertmanagerVars['canary']): Config => {
  if (!enabled) return config
  const route = canaryRoute(group_interval)
  const others = Array.isArray(config.route.routes) ? config.route.routes : []
  return {
    ...config,
    route: { ...config.route, routes: [route, ...others] },
    receivers: [...config.receivers, canaryReceiver(port, { credentials_file: CANARY_TOKEN })],
  }
}

/** The route that takes canary alerts and no others. */
export const canaryRoute = (group_interval: Duration) => ({
  receiver: CANARY_RECEIVER,
  matchers: [`alertname="${CANARY_ALERT}"`, 'vestal="canary"'],
  ...canaryGrouping(group_interval),
})

/** How canary alerts are grouped: each by itself. */
export const canaryGrouping = (group_interval: Duration) => ({
  group_by: ['...'],
  // Alerts end when rules are evaluated, every 5 seconds. Between two evaluations all members know the same.
  group_wait: '2s',
  group_interval,
  repeat_interval: '24h',
})

/** The receiver on the host's own loopback, which proves itself with this `authorization`. */
export const canaryReceiver = (port: number, authorization: Readonly<Record<string, unknown>>) => ({
  name: CANARY_RECEIVER,
  webhook_configs: [{ url: `http://127.0.0.1:${port}/`, send_resolved: true, http_config: { authorization } }],
})

/**
 * The token, made at random on the host, which only root and the service can read: whoever else connects to the receiver's port there, on which the
 * controller listens while alerts are watched, is told from Alertmanager by it.
 */
export const canaryToken = (user: string): Task =>
  command(
    'a token for canary notifications',
    `(
umask 077
file=${word(CANARY_TOKEN)}
od -An -N32 -tx1 /dev/urandom | tr -d ' \\n' >"$file.vestal-new"
chown root:${word(user)} "$file.vestal-new"
chmod 0640 "$file.vestal-new"
mv -f "$file.vestal-new" "$file"
)`,
    {
      unless: `[ -f ${word(CANARY_TOKEN)} ] && [ "$(stat -c '%s %a %U %G' ${word(CANARY_TOKEN)})" = ${word(`64 640 root ${user}`)} ]`,
    },
  )
