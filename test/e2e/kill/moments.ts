/** Moments of a deploy at which its controller is killed: so long after the start, or so long after an event. */
import type { RunEvent } from '../../../lib/engine/events.ts'

export interface Moment {
  readonly name: string
  /** Nothing: the start of the process. */
  readonly after?: (event: RunEvent) => boolean
  readonly ms: number
}

const start = (ms: number): Moment => ({ name: `${ms} ms after its start`, ms })
const on = (name: string, after: (event: RunEvent) => boolean, ms = 0): Moment => ({
  name: ms === 0 ? name : `${name}, and ${ms} ms more`,
  after,
  ms,
})
const sent = (release: string, part: number, host = 'monitor'): Moment =>
  on(
    `${part === 0 ? 'the first bytes' : part === 1 ? 'all' : `${part * 100} %`} of ${release} sent to ${host}`,
    (event) =>
      event.event === 'upload' &&
      event.host === host &&
      event.title.includes(`/${release} `) &&
      event.sent >= part * event.of,
  )
const step = (title: string, state: 'started' | 'done', { ms = 0, host = 'monitor' } = {}): Moment =>
  on(
    `“${title}” ${state} on ${host}`,
    (event) => event.event === 'step' && event.host === host && event.title === title && event.state === state,
    ms,
  )
const gate = (name: string, pass: boolean, { ms = 0, host = 'monitor' } = {}): Moment =>
  on(
    `“${name}” ${pass ? 'answered' : 'not yet so'} on ${host}`,
    (event) => event.event === 'gate' && event.host === host && event.name === name && event.verdict.pass === pass,
    ms,
  )
const done = (host: string, play: string): Moment =>
  on(`${host} done in ${play}`, (event) => event.event === 'host-done' && event.host === host && event.play === play)
const batch = (play: string): Moment =>
  on(`a batch of ${play} begun`, (event) => event.event === 'batch-started' && event.play === play)

const ALERTMANAGERS = 'Alertmanagers, one at a time'
const PROMETHEUS = 'Prometheus, never two replicas of a shard'
const OTHERS = 'Other machines'
const read = (host: string): Moment => on(`${host} read`, (event) => event.event === 'host-read' && event.host === host)
const connecting = (ms: number): Moment => on('the run announced', (event) => event.event === 'run-started', ms)
const planned = on('the plan made', (event) => event.event === 'planned')
const current = (name: string, version: string): string =>
  `point /opt/vestal/${name}/current to /opt/vestal/${name}/${version}`

/** One moment of each stage of a first deploy. */
export const oneOfEachStage: readonly Moment[] = [
  connecting(60),
  sent('alertmanager', 0.5),
  step('write /etc/alertmanager/alertmanager.yml', 'started'),
  step('install prometheus 2.42.0', 'started', { ms: 700 }),
  step('start prometheus.service', 'started', { ms: 100 }),
  gate('Prometheus sends to every Alertmanager of the inventory', false),
]

/** Moments of a first deploy of the fleet in ../failure/fleet.ts, in the order in which they come. */
export const firstDeploy: readonly Moment[] = [
  start(30),
  start(250),
  connecting(0),
  connecting(60),
  connecting(120),
  connecting(200),
  read('monitor'),
  read('node'),
  planned,
  batch(ALERTMANAGERS),
  sent('node_exporter', 0),
  sent('alertmanager', 0.5),
  sent('alertmanager', 1),
  step('add the user node-exp', 'started'),
  step('make /var/lib/node_exporter', 'done'),
  step('install node_exporter 1.5.0', 'started', { ms: 50 }),
  step('start node_exporter.service', 'started'),
  step('install alertmanager 0.25.0', 'started', { ms: 400 }),
  step('write /etc/alertmanager/alertmanager.yml', 'started'),
  step(current('alertmanager', '0.25.0'), 'started'),
  step('write /etc/systemd/system/alertmanager.service', 'started'),
  step('let systemd read alertmanager.service', 'started', { ms: 30 }),
  step('enable alertmanager.service', 'started', { ms: 30 }),
  step('start alertmanager.service', 'started', { ms: 150 }),
  step('start alertmanager.service', 'done'),
  done('monitor', ALERTMANAGERS),
  gate('Alertmanager has its config in force', true),
  batch(PROMETHEUS),
  sent('prometheus', 0),
  sent('prometheus', 0.5),
  sent('prometheus', 1),
  step('install prometheus 2.42.0', 'started', { ms: 200 }),
  step('install prometheus 2.42.0', 'started', { ms: 1_200 }),
  step('write /etc/prometheus/rules/vestal-watchdog.yml', 'started'),
  step('add the user prometheus', 'started', { ms: 20 }),
  step('write /etc/prometheus/prometheus.yml', 'started', { ms: 40 }),
  step(current('prometheus', '2.42.0'), 'done'),
  step('write /etc/systemd/system/prometheus.service', 'started', { ms: 20 }),
  step('let systemd read prometheus.service', 'done'),
  step('start prometheus.service', 'started'),
  step('start prometheus.service', 'started', { ms: 600 }),
  step('start prometheus.service', 'done'),
  gate('Prometheus has scraped every target since it started', false),
  gate('Prometheus sends to every Alertmanager of the inventory', false, { ms: 1_000 }),
  gate('Prometheus has scraped every target since it started', true),
  batch(OTHERS),
  sent('node_exporter', 1, 'node'),
  step('install node_exporter 1.5.0', 'started', { host: 'node', ms: 100 }),
  step('start node_exporter.service', 'started', { host: 'node', ms: 100 }),
  done('node', OTHERS),
]

/** Moments of a second deploy that gives the running fleet another Alertmanager, other flags and another configuration. */
export const laterDeploy: readonly Moment[] = [
  sent('alertmanager', 0.5),
  step('write /etc/alertmanager/alertmanager.yml', 'done'),
  step(current('alertmanager', '0.28.1'), 'done'),
  step('let systemd read alertmanager.service', 'started'),
  step('restart alertmanager.service', 'started'),
  step('restart alertmanager.service', 'started', { ms: 400 }),
  done('monitor', ALERTMANAGERS),
  step('write /etc/prometheus/prometheus.yml', 'done'),
  step('write /etc/systemd/system/prometheus.service', 'done'),
  step('restart prometheus.service', 'started'),
  step('restart prometheus.service', 'started', { ms: 400 }),
  gate('Prometheus is ready, its WAL replayed', true),
]

/** Moments of a first deploy at which the machine itself loses its power. */
export const powerLosses: readonly Moment[] = [
  sent('alertmanager', 0.5),
  step('add the user alertmanager', 'started', { ms: 10 }),
  step('install prometheus 2.42.0', 'started', { ms: 500 }),
  step('write /etc/prometheus/prometheus.yml', 'started', { ms: 20 }),
  step('let systemd read prometheus.service', 'started'),
  step('start prometheus.service', 'started', { ms: 400 }),
  gate('Prometheus sends to every Alertmanager of the inventory', false),
]
