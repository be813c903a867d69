import { describe, expect, test } from 'vitest'
import {
  alertmanagerConfigInForce,
  alertmanagerIsInStep,
  alertmanagerServes,
  configHash,
  gossipMembersAre,
} from '../../../lib/gates/alertmanager.ts'
import { Sealed, Secret } from '../../../lib/secret.ts'
import { statusAnswer } from './answers.ts'
import { Answer, verdict, webServer } from './web-server.ts'

const peer = (address: string) => ({ name: `name of ${address}`, address })
const cluster = (status: string, addresses: readonly string[], name = 'am-1') => ({
  '/api/v2/status': statusAnswer({ name, status, peers: addresses.map(peer) }),
})
const members = ['10.0.0.1:9094', '10.0.0.2:9094']

describe('gossip members', () => {
  const ask = async (pages: Record<string, unknown>, name?: string) => {
    await using alertmanager = await webServer('am-1', pages)
    return await verdict(gossipMembersAre(alertmanager.endpoint, { members, name }))
  }

  test('a cluster that is ready but lacks a member does not pass, and the member is named', async () => {
    expect(await ask(cluster('ready', ['10.0.0.1:9094']))).toEqual({
      pass: false,
      why: 'does not see 10.0.0.2:9094',
      lacks: ['10.0.0.2:9094'],
    })
  })

  test('a member that the inventory does not know is named', async () => {
    expect(await ask(cluster('ready', [...members, '10.0.0.9:9094']))).toEqual({
      pass: false,
      why: 'also gossips with 10.0.0.9:9094, not in the inventory',
    })
  })

  test('a cluster that still settles does not pass: it would not notify', async () => {
    expect(await ask(cluster('settling', members))).toEqual({ pass: false, why: 'its cluster is settling, not ready' })
  })

  test('a member under another name than its host does not pass', async () => {
    expect(await ask(cluster('ready', members, '01ARZ3NDEKTSV4RRFFQ69G5FAV'), 'am-1')).toMatchObject({ pass: false })
    expect(await ask(cluster('ready', members, 'am-1'), 'am-1')).toEqual({ pass: true })
  })

  test('one that stands alone passes with its cluster turned off', async () => {
    await using alertmanager = await webServer('am-1', {
      '/api/v2/status': statusAnswer({ status: 'disabled', peers: null }),
    })
    expect(await verdict(gossipMembersAre(alertmanager.endpoint, { members: [] }))).toEqual({ pass: true })
  })

  test('IPv6 addresses are the same however they are written', async () => {
    await using alertmanager = await webServer('am-1', cluster('ready', ['[fd00::1]:9094']))
    const gate = gossipMembersAre(alertmanager.endpoint, { members: ['[fd00:0:0::1]:9094'] })
    expect(await verdict(gate)).toEqual({ pass: true })
  })
})

describe('the config in force', () => {
  const config = new Sealed(['url: ', new Secret('"https://example.net/hook"'), '\n'])
  const hash = configHash(Buffer.from('url: "https://example.net/hook"\n'))
  const ask = async (success: number, shown: number) => {
    const page = `# HELP x\nalertmanager_config_hash ${shown.toExponential()}\nalertmanager_config_last_reload_successful ${success}\n`
    await using alertmanager = await webServer('am-1', { '/metrics': new Answer(200, page) })
    return await verdict(alertmanagerConfigInForce(alertmanager.endpoint, config))
  }

  test('passes when the running config is the very file, secrets included', async () => {
    expect(await ask(1, hash)).toEqual({ pass: true })
  })

  test('does not pass when it runs on another file', async () => {
    expect(await ask(1, hash + 1)).toEqual({ pass: false, why: 'it runs on another config than the one it must have' })
  })

  test('does not pass when the last reload was refused', async () => {
    expect(await ask(0, hash)).toMatchObject({ pass: false, why: expect.stringMatching(/refused its config/) })
  })

  test('the hash is the first 48 bits of the MD5, lowest byte first', () => {
    // md5('') = d41d8cd98f00…
    expect(configHash(Buffer.from(''))).toBe(0x008fd98c1dd4)
  })
})

test('an Alertmanager that answers and has settled serves', async () => {
  await using alertmanager = await webServer('am-1', cluster('ready', members))
  expect(await verdict(alertmanagerServes(alertmanager.endpoint))).toEqual({ pass: true })
  alertmanager.pages = cluster('settling', members)
  expect(await verdict(alertmanagerServes(alertmanager.endpoint))).toMatchObject({ pass: false })
})

test('one that was restarted just now may hold something back, by the clock of its own host', async () => {
  const at = (uptime: string) => ({
    '/api/v2/status': new Answer(200, JSON.stringify({ ...statusAnswer({ status: 'ready' }), uptime }), {
      date: 'Thu, 01 Jan 2026 10:00:30 GMT',
    }),
  })
  await using alertmanager = await webServer('am-3', at('2026-01-01T10:00:20.5Z'))
  const gate = alertmanagerIsInStep(alertmanager.endpoint, { afterMs: 14_300 })
  expect(gate).toMatchObject({ host: 'am-3', within: '30s' })
  expect(await verdict(gate)).toEqual({
    pass: false,
    why: 'it started 10 s ago; what it held then is told within 15 s',
  })
  alertmanager.pages = at('2026-01-01T10:00:15Z')
  expect(await verdict(gate)).toEqual({ pass: true })
})
