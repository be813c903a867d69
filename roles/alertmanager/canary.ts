import type { AlertmanagerVars } from './vars.ts'

type Config = AlertmanagerVars['config']

export const CANARY_ALERT = 'VestalCanary'
/** The receiver of canary alerts, and of nothing else. */
export const CANARY_RECEIVER = 'vestal-canary'

/**
 * The configuration with a route for canary alerts in front of all others, so that no other takes one, and its receiver on the member's own
 * loopback. Each alert is a group of its own (`...`), as otherwise one that lasts would delay news of the others.
 */
export const withCanary = (config: Config, { enabled, port, group_interval }: AlertmanagerVars['canary']): Config => {
  if (!enabled) return config
  const route = {
    receiver: CANARY_RECEIVER,
    matchers: [`alertname="${CANARY_ALERT}"`, 'vestal="canary"'],
    group_by: ['...'],
    // Alerts end when rules are evaluated, every 5 seconds. Between two evaluations all members know the same.
    group_wait: '2s',
    group_interval,
    repeat_interval: '24h',
  }
  const others = Array.isArray(config.route.routes) ? config.route.routes : []
  const receiver = {
    name: CANARY_RECEIVER,
    webhook_configs: [{ url: `http://127.0.0.1:${port}/`, send_resolved: true }],
  }
  return {
    ...config,
    route: { ...config.route, routes: [route, ...others] },
    receivers: [...config.receivers, receiver],
  }
}
