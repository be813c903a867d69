/** Web servers of Prometheus and Alertmanager that lie, all at once, behind honest sessions. */
import { readFileSync } from 'node:fs'
import pLimit from 'p-limit'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { inventoryOf } from '../deploy/inventories.ts'
import { onHost } from '../vestal.ts'
import { liars, noMoreLies } from './liars.ts'
import { expectOwnEnd, type Measured, measured } from './measured.ts'

const [machine] = inject('lab').hosts
if (!machine) throw new Error('the lab has no host')
const SERVERS = readFileSync(new URL('web-lies.py', import.meta.url), 'utf8')
const LIES = [...SERVERS.matchAll(/^ {4}"([a-z0-9-]+)": lambda/gm)].map(([, name = '']) => name)
const FIRST_PORT = 9500
/** Some pages of each are asked for, each for ten seconds at most. */
const LONGEST_S = 150

/** Each lie is that of an Alertmanager and of a Prometheus, whose sessions are honest. */
const inventory = async (): Promise<string> => {
  const hosts = await liars(machine, Object.fromEntries(LIES.map((name) => [name, 'honest'])), 2300)
  const withVars = (key: string, vars: object) =>
    Object.fromEntries(
      LIES.map((name, at) => [name, { ...hosts[name], [key]: { ...vars, listen: `0.0.0.0:${FIRST_PORT + at}` } }]),
    )
  const config = { route: { receiver: 'a' }, receivers: [{ name: 'a' }] }
  const members = withVars('alertmanager', { version: '0.33.1', config })
  const replicas = withVars('prometheus', { version: '3.5.3', cluster: 'lab' })
  return inventoryOf({
    'hosts.yml': {
      all: {
        children: {
          alertmanager: { hosts: members },
          prometheus: {
            hosts: Object.fromEntries(
              LIES.map((name) => [
                name,
                { prometheus: replicas[name] && (replicas[name] as { prometheus: object }).prometheus },
              ]),
            ),
          },
        },
      },
    },
    'group_vars/all/rest.yml': { rules: { self_monitoring: false } },
  })
}

describe(`${LIES.length} web servers that lie`, () => {
  let all = ''
  const ran = new Map<string, Measured>()
  const of = (name: string): Measured => {
    const one = ran.get(name)
    if (!one) throw new Error(`${name} has not run`)
    return one
  }
  const COMMANDS: Readonly<Record<string, readonly string[]>> = {
    status: ['status', '--json'],
    'status in words': ['status'],
    check: ['check', '--json'],
    'rolling-upgrade': ['rolling-upgrade', '--prometheus', '3.5.3', '--dry-run', '--json'],
  }

  beforeAll(async () => {
    await onHost(machine.address, 'cat >/root/web-lies.py', SERVERS)
    await onHost(
      machine.address,
      `systemd-run --quiet --unit=web-lies python3 /root/web-lies.py ${FIRST_PORT} ${LIES.join(' ')}`,
    )
    all = await inventory()
    for (const [name, words] of Object.entries(COMMANDS))
      ran.set(name, await measured([...words, '-i', all], LONGEST_S))
    // Some at a time: each is a process of its own, whose memory is measured.
    const asked = LIES.flatMap((lie) => [
      { name: `routes of ${lie}`, words: ['routes', 'diff', '--json', '-i', all, '--limit', lie] },
      { name: `silences of ${lie}`, words: ['silences', 'export', '-i', all, '--limit', lie] },
    ])
    const limit = pLimit(6)
    await Promise.all(asked.map(({ name, words }) => limit(async () => ran.set(name, await measured(words, 90)))))
  })
  afterAll(async () => {
    await onHost(machine.address, 'systemctl stop web-lies; rm /root/web-lies.py')
    await noMoreLies(machine)
  })

  test.each(Object.keys(COMMANDS))('%s ends by its own report, within its time and its memory', (name) => {
    expectOwnEnd(of(name), [0, 1, 2])
    expect(of(name).seconds).toBeLessThan(LONGEST_S)
  })

  test.each(LIES)('%s is an unhealthy instance, and nothing else', (name) => {
    const { instances } = JSON.parse(of('status').stdout)
    const own = instances.filter(({ instance }: { instance: string }) => instance === name)
    expect(own.map(({ role }: { role: string }) => role).sort()).toEqual(['alertmanager', 'prometheus'])
    for (const one of own) expect(one.healthy).toBe(false)
    for (const command of ['routes', 'silences']) expectOwnEnd(of(`${command} of ${name}`), [0, 1])
  })

  test.each([
    ['config-that-unfolds', 'Excessive alias count'],
    ['config-that-is-deep', 'more than 200 deep'],
    ['config-that-is-long', /larger than 4 MiB|too large together/],
    ['config-that-is-broken', 'its running config cannot be understood'],
    ['config-with-modulus-0', 'modulus'],
    ['version-of-words', 'expected a version'],
    ['url-that-is-none', 'expected a URL'],
    ['words', 'answered in an unknown form'],
    ['other-forms', 'answered in an unknown form'],
    ['millions-of-lists', /more than 500000 values|too large together/],
  ])('check says of %s what cannot be understood', (name, why) => {
    const findings: { id: string; hosts: string[]; what: string }[] = JSON.parse(of('check').stdout).findings
    const own = findings.filter(({ id, hosts }) => id === 'running-unreadable' && hosts.includes(name))
    expect(own.map(({ what }) => what).join('\n')).toMatch(why)
  })
})
