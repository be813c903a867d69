/** Whatever characters names, labels, texts and paths hold, they arrive on the host as they were written. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { word } from '../../../lib/shell.ts'
import { onHost, vestal } from '../vestal.ts'
import { deploy, SPARE } from './fleet.ts'
import { allOn } from './inventories.ts'

const LINE = `it's "q" $HOME \${x} $$1 \`id\` a\\b \\n #c : - {d: e} [f] & * ! | > % @ , <%= 1 %> ünï 🔥`
const TEXT = `${LINE}\nsecond line\t\r end `
const WORDS = [
  'yes',
  'NULL',
  '0o17',
  '0x1F',
  '1_000',
  '1e3',
  '~',
  '',
  ' x ',
  '=',
  '<<',
  '2026-01-01',
  '!!str',
  '12:30:45',
]
const labels = Object.fromEntries([TEXT, ...WORDS].map((value, index) => [`label_${index}`, value]))

const STORAGE = `/srv/it's "prom" $x %n {a} ü`
const RULES = [`it's "q" $HOME \`id\` %n [a] ü 🔥.yml`, 'two\nlines.yml', '-rf.yml', ' .yml', '~*.yml']
const rule = (alert: string): string =>
  stringify({
    groups: [{ name: TEXT, rules: [{ alert, expr: 'vector(1)', annotations: { text: LINE, more: TEXT } }] }],
  })

describe('awkward characters', () => {
  const inventory = allOn('spare', {
    address: SPARE,
    vars: {
      node_exporter: { version: '1.11.1', textfile_dir: `${STORAGE}/text` },
      prometheus: {
        version: '3.5.3',
        scrape_interval: '2s',
        evaluation_interval: '2s',
        resend_delay: '2s',
        storage_dir: STORAGE,
        external_labels: labels,
        extra_flags: { 'web.page-title': LINE },
      },
      rules: { folders: ['rules'], self_monitoring: false },
      alertmanager: {
        version: '0.33.1',
        templates: 'templates',
        config: {
          route: {
            receiver: TEXT,
            group_by: ['...'],
            routes: WORDS.filter(Boolean).map((receiver) => ({ receiver })),
          },
          receivers: [TEXT, ...WORDS.filter(Boolean)].map((name) => ({
            name,
            webhook_configs: [{ url: `${inject('lab').receiver}/awkward` }],
          })),
        },
      },
    },
    files: {
      ...Object.fromEntries(RULES.map((name, index) => [`rules/${name}`, rule(`Awkward${index}`)])),
      [`templates/${LINE.replaceAll('/', '')}.tmpl`]: `{{ define "x" }}${TEXT}{{ end }}`,
    },
  })

  beforeAll(async () => {
    await deploy('-i', inventory)
  })
  afterAll(() => onHost(SPARE, `systemctl stop prometheus; rm -rf ${word(STORAGE)}`))

  test('are read back as they were written', async () => {
    expect(await vestal(['plan', '-i', inventory, '--exit-code'])).toMatchObject({ code: 0 })
  })

  test('are the labels of the alerts that arrive', async () => {
    const alerts = async () => {
      const answer = await fetch(`http://${SPARE}:9093/api/v2/alerts`, { signal: AbortSignal.timeout(10_000) })
      const all = (await answer.json()) as readonly { labels: Record<string, string>; annotations: object }[]
      return all.find((alert) => alert.labels.alertname === 'Awkward0')
    }
    await expect.poll(alerts, { timeout: 60_000 }).toBeDefined()
    const { '': _, ...told } = Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''))
    expect(await alerts()).toMatchObject({ labels: told, annotations: { text: LINE, more: TEXT } })
  })

  test('are the names of files', async () => {
    const found = await onHost(SPARE, "find /etc/prometheus/rules /etc/alertmanager/templates -type f -printf '%f\\0'")
    expect(found.split('\0').filter(Boolean).sort()).toEqual(
      [...RULES, 'vestal-canary.yml', 'vestal-watchdog.yml', `${LINE.replaceAll('/', '')}.tmpl`].sort(),
    )
  })

  test('are the flags of a running process', async () => {
    const words = await onHost(SPARE, 'cat /proc/$(systemctl show -P MainPID prometheus)/cmdline')
    expect(words.split('\0')).toEqual(
      expect.arrayContaining([`--web.page-title=${LINE}`, `--storage.tsdb.path=${STORAGE}`]),
    )
    expect(await onHost(SPARE, `ls "$(cat)"`, STORAGE)).toContain('wal')
  })

  test('are the config that Alertmanager has in force', async () => {
    const answer = await fetch(`http://${SPARE}:9093/api/v2/status`, { signal: AbortSignal.timeout(10_000) })
    const { config } = (await answer.json()) as { config: { original: string } }
    const { route, receivers } = parse(config.original)
    expect(receivers.map(({ name }: { name: string }) => name)).toEqual([
      TEXT,
      ...WORDS.filter(Boolean),
      'vestal-canary',
    ])
    expect(route.receiver).toBe(TEXT)
  })
})
