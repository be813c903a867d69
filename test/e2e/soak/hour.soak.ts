/**
 * Everything that is done to a fleet in a year, for an hour: rolls, reloads and changes of configuration, with TLS between all machines, gossip too, and canary
 * alerts from the first moment to the last. Nothing may be lost, and nothing notified twice. VESTAL_MINUTES says how long; VESTAL_SOAK_OUT names the file of its figures.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import type { AlertsReport } from '../../../lib/model.ts'
import { deploy, failuresOf } from '../deploy/fleet.ts'
import { haWith } from '../deploy/inventories.ts'
import { vestal } from '../vestal.ts'
import { canaries } from './canaries.ts'

const MINUTES = Number(process.env.VESTAL_MINUTES ?? 60)
const password = join(mkdtempSync(join(tmpdir(), 'vestal-password-')), 'vault')
writeFileSync(password, 'for tests alone\n')
process.env.ANSIBLE_VAULT_PASSWORD_FILE = password

const inventory = haWith({
  all: { tls: { gossip: true } },
  alertmanager: { alertmanager: { canary: { every: '2s' } } },
})

/** Changes the variables of a group, as somebody who edits its file. */
const edit = (group: string, change: (vars: Vars) => void): void => {
  const file = join(inventory, 'group_vars', `${group}.yml`)
  const vars = parse(readFileSync(file, 'utf8')) as Vars
  change(vars)
  writeFileSync(file, stringify(vars, { defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' }))
}
// biome-ignore lint/suspicious/noExplicitAny: the variables of a test's own inventory.
type Vars = any

interface Action {
  readonly what: string
  readonly words: readonly string[]
  edit?(round: number): void
}
/** The canary alerts of this test take the ports of a roll's own. */
const ROLL = ['rolling-upgrade', '--no-watch-alerts']
/** One round. Each action changes something each time. */
const ACTIONS: readonly Action[] = [
  {
    what: 'Alertmanagers are restarted, one at a time: another flag',
    words: ROLL,
    edit: (round) =>
      edit('alertmanager', ({ alertmanager }) => (alertmanager.retention = `${120 + (round % 20) + 1}h`)),
  },
  {
    what: 'Alertmanagers reload: another receiver',
    words: ['deploy'],
    edit: (round) =>
      edit('alertmanager', ({ alertmanager: { config } }) => {
        config.receivers = config.receivers.filter(({ name }: { name: string }) => !name.startsWith('round-'))
        config.receivers.push({ name: `round-${round}` })
      }),
  },
  {
    what: 'Prometheus are restarted, one replica at a time: another flag',
    words: ROLL,
    edit: (round) => edit('prometheus', ({ prometheus }) => (prometheus.retention.time = `${15 + (round % 20) + 1}d`)),
  },
  {
    what: 'Prometheus reload: another label of all they send',
    words: ['deploy'],
    edit: (round) =>
      edit('prometheus', ({ prometheus }) => {
        prometheus.scrape_configs = [
          {
            job_name: 'soak',
            static_configs: [{ targets: ['127.0.0.1:9090'], labels: { round: String(round) } }],
            scheme: 'https',
            tls_config: { insecure_skip_verify: true },
          },
        ]
      }),
  },
  {
    what: 'node_exporters are restarted: another flag',
    words: ROLL,
    edit: (round) =>
      edit('all', ({ node_exporter }) => (node_exporter.extra_flags = { 'web.max-requests': 40 + (round % 20) + 1 })),
  },
  { what: 'every certificate is issued anew', words: ['certificates', 'renew', '--all'] },
  { what: 'the authority is exchanged', words: ['certificates', 'rotate-authority'] },
  { what: 'nothing is left to do', words: ['deploy'] },
]

interface Done {
  readonly round: number
  readonly what: string
  readonly seconds: number
  readonly code: number | null
  readonly failures: readonly string[]
}

test(`for ${MINUTES} minutes, whatever is rolled, reloaded and changed, no alert is lost or notified twice`, async () => {
  expect(await vestal(['certificates', 'init', '-i', inventory])).toMatchObject({ code: 0 })
  await deploy('-i', inventory)
  const startedAt = new Date()
  const until = startedAt.getTime() + MINUTES * 60_000
  const done: Done[] = []
  let load = 0
  const out = process.env.VESTAL_SOAK_OUT
  const events = out === undefined ? undefined : `${out.replace(/\.json$/, '')}.events.ndjson`
  if (out && events !== undefined) {
    mkdirSync(dirname(out), { recursive: true })
    rmSync(events, { force: true })
  }
  await using watched = await canaries(inventory, events)
  for (let at = 0; Date.now() < until; at++) {
    const [action, round] = [ACTIONS[at % ACTIONS.length] as Action, Math.floor(at / ACTIONS.length) + 1]
    action.edit?.(round)
    const begun = Date.now()
    const ended = await vestal([...action.words, '-i', inventory, '--json', '--yes'])
    const one = {
      round,
      what: action.what,
      seconds: Math.round((Date.now() - begun) / 100) / 10,
      code: ended.code,
      failures: failuresOf(ended),
    }
    done.push(one)
    load = Math.max(load, ...loadavg())
    const { sent, lost, duplicated, refired, unresolved, silenced } = watched.sofar() ?? ({} as Partial<AlertsReport>)
    console.log(
      `${new Date().toISOString()} round ${round}, ${one.seconds} s, exit ${one.code}: ${one.what}; ${one.code === 0 ? '' : ` ${(ended.stderr || ended.stdout).slice(-2_000)}`}; sent ${sent}, lost ${lost}, duplicated ${duplicated}, re-fired ${refired}, unresolved ${unresolved}, silenced and notified ${silenced?.notified}`,
    )
  }
  const alerts = await watched.end()
  const figures = {
    vestal: 'soak/1',
    startedAt: startedAt.toISOString(),
    minutes: Math.round((Date.now() - startedAt.getTime()) / 6_000) / 10,
    machine: { cpus: cpus().length, largestLoad: Math.round(load * 10) / 10 },
    actions: Object.values(Object.groupBy(done, ({ what }) => what)).flatMap((some = []) =>
      some[0]
        ? [
            {
              what: some[0].what,
              times: some.length,
              failed: some.filter(({ code }) => code !== 0).length,
              longestSeconds: Math.max(...some.map(({ seconds }) => seconds)),
            },
          ]
        : [],
    ),
    alerts,
  }
  if (out) writeFileSync(out, `${JSON.stringify(figures, null, 2)}\n`)
  console.log(JSON.stringify({ ...figures, alerts: { ...alerts, canaries: undefined } }, null, 2))
  expect(done.filter(({ code, failures }) => code !== 0 || failures.length > 0)).toEqual([])
  // That an alert is over is forgotten where every Prometheus and then every Alertmanager is restarted before its group is looked at again: docs/certificates.md, "A soak".
  expect(alerts).toMatchObject({ lost: 0, duplicated: 0, silenced: { notified: 0 } })
  expect(alerts.delivered + alerts.cutShort).toBe(alerts.sent)
})
