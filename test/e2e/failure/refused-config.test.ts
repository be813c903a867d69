import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { vestal } from '../vestal.ts'
import { type FleetOptions, fleetOf, inventoryOf } from './fleet.ts'
import { expectUnharmed, type State, standing, stateOf } from './state.ts'

const fleet = fleetOf(0)
let before: State

beforeAll(async () => {
  await standing(fleet)
  before = await stateOf(fleet)
})

const rule = (expr: string) => `groups: [{name: own, rules: [{record: own, expr: '${expr}'}]}]\n`
const alertmanager = (config: object) => ({ all: { alertmanager: { config } } })

interface Refused {
  readonly what: string
  readonly options: FleetOptions
  readonly task: string
  readonly says: readonly string[]
}
const HERE = /\/(prometheus|alertmanager)\.yml$|\/rules\//
const refused: readonly Refused[] = [
  {
    what: 'a Prometheus configuration that names a file which is not on the machine',
    options: {
      all: { prometheus: { scrape_configs: [{ job_name: 'own', authorization: { credentials_file: '/no/token' } }] } },
    },
    task: 'file /etc/prometheus/prometheus.yml',
    says: ['/no/token'],
  },
  {
    what: 'a Prometheus configuration with a field that there is not',
    options: { all: { prometheus: { scrape_configs: [{ job_name: 'own', metrics_pathh: '/metrics' }] } } },
    task: 'file /etc/prometheus/prometheus.yml',
    says: ['parsing YAML file', 'field metrics_pathh not found in type config.ScrapeConfig'],
  },
  {
    what: 'a Prometheus configuration, after a good rule file of the same run',
    options: {
      files: { 'rules/own.yml': rule('1') },
      all: { rules: { folders: ['rules'] }, prometheus: { scrape_interval: '1s', scrape_timeout: '5s' } },
    },
    task: 'file /etc/prometheus/prometheus.yml',
    says: ['global scrape timeout greater than scrape interval'],
  },
  {
    what: 'a rule file',
    options: { files: { 'rules/own.yml': rule('sum(') }, all: { rules: { folders: ['rules'] } } },
    task: 'file /etc/prometheus/rules/own.yml',
    says: ['group "own", rule 1, "own": could not parse expression', 'unclosed left parenthesis'],
  },
  {
    what: 'a web configuration with a field that there is not',
    options: { all: { prometheus: { web_config: { http_server_config: { http9: true } } } } },
    task: 'file /etc/prometheus/web.yml',
    says: ['field http9 not found'],
  },
  {
    what: 'an Alertmanager configuration with a field that there is not',
    options: alertmanager({ receivers: [{ name: 'first', webhook_configs: [{ urll: 'http://10.88.0.1' }] }] }),
    task: 'file /etc/alertmanager/alertmanager.yml',
    says: ['field urll not found in type config.plain'],
  },
  {
    what: 'an Alertmanager configuration whose duration makes no sense',
    options: alertmanager({ route: { receiver: 'first', group_wait: '5 minutes' } }),
    task: 'file /etc/alertmanager/alertmanager.yml',
    says: ['not a valid duration string: "5 minutes"'],
  },
  {
    what: 'a notification template',
    options: {
      files: { 'templates/own.tmpl': '{{ define "own" }}' },
      all: { alertmanager: { templates: 'templates' } },
    },
    task: 'file /etc/alertmanager/templates/own.tmpl',
    says: ['.own.tmpl.vestal-new:1: unexpected EOF'],
  },
  {
    what: 'a flag that this version does not know',
    options: { all: { alertmanager: { extra_flags: { 'cluster.no-such': 'x' } } } },
    task: 'unit alertmanager.service',
    says: ['/opt/vestal/alertmanager/0.25.0/alertmanager does not know --cluster.no-such'],
  },
]

/** What promtool and amtool find without the host: told before it is asked anything. */
const foundHere: readonly Refused[] = refused.filter(({ task }) => HERE.test(task))
const foundThere: readonly Refused[] = refused.filter(
  ({ task, what }) => !HERE.test(task) || what.includes('on the machine'),
)

describe('what they refuse on the controller is told before a machine is touched', () => {
  afterEach(async () => expectUnharmed(before, await stateOf(fleet)))

  for (const { what, options, task, says } of foundHere.filter((one) => !foundThere.includes(one)))
    it(what, async () => {
      const inventory = inventoryOf(fleet, options)
      for (const command of ['plan', 'deploy']) {
        const { code, stderr } = await vestal([command, '-i', inventory])
        for (const words of [`${task.replace('file ', '')} on monitor: `, ' refuses it: ', ...says])
          expect(stderr).toContain(words)
        expect(code).toBe(2)
      }
    })
})

describe('what the version’s own tools refuse never comes into force, and what was before it still is', () => {
  afterEach(async () => expectUnharmed(before, await stateOf(fleet)))

  for (const { what, options, task, says } of foundThere) {
    it(what, async () => {
      const { code, stdout } = await vestal(['deploy', '-i', inventoryOf(fleet, options)])
      for (const words of [`failed monitor: ${task}: `, ...says]) expect(stdout).toContain(words)
      expect(stdout).toContain('The changes made before it on this host were taken back; what was in force still is.')
      expect(code).toBe(1)
    })
  }
})
