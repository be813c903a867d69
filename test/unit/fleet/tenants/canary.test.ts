import { describe, expect, test } from 'vitest'
import { canaryTenant, canaryTokenIn } from '../../../../fleet/tenants/canary.ts'
import { bodyOf } from '../../../../fleet/tenants/tenant.ts'
import { mistakesIn } from '../../../../fleet/tenants/validate.ts'
import { cortexVars } from '../../../../roles/cortex-alertmanager/vars.ts'

const canaryOf = (canary: object = {}) =>
  cortexVars.parse({ version: '1.21.1', storage: { backend: 'filesystem', dir: '/srv' }, canary }).canary

describe('the tenant of canary alerts', () => {
  test('keeps the token that the ring has, and gets one at random where it has none', () => {
    const first = bodyOf(canaryTenant(canaryOf(), null))
    const other = bodyOf(canaryTenant(canaryOf(), null))
    expect(bodyOf(canaryTenant(canaryOf(), first))).toEqual(first)
    expect(other).not.toEqual(first)
    const moved = bodyOf(canaryTenant(canaryOf({ port: 19_999 }), first))
    expect(moved).not.toEqual(first)
    expect(canaryTokenIn(canaryOf({ port: 19_999 }), moved)).toBe(canaryTokenIn(canaryOf(), first))
  })

  test('is one that Cortex takes, and never shows its token', () => {
    const tenant = canaryTenant(canaryOf(), null)
    expect(mistakesIn(tenant.config, [])).toEqual([])
    expect(JSON.stringify(tenant)).not.toMatch(/[0-9a-f]{64}/)
    expect(bodyOf(tenant).alertmanager_config).toMatch(/credentials: "[0-9a-f]{64}"/)
  })

  test('has a token only where the ring has it as it is to be', () => {
    const body = bodyOf(canaryTenant(canaryOf(), null))
    expect(canaryTokenIn(canaryOf(), body)).toMatch(/^[0-9a-f]{64}$/)
    expect(canaryTokenIn(canaryOf(), null)).toBeNull()
    expect(canaryTokenIn(canaryOf({ port: 19_999 }), body)).toBeNull()
    const elsewhere = body.alertmanager_config.replace('127.0.0.1', '10.6.6.6')
    expect(canaryTokenIn(canaryOf(), { ...body, alertmanager_config: elsewhere })).toBeNull()
    expect(canaryTokenIn(canaryOf(), { alertmanager_config: 'credentials: "x"', template_files: {} })).toBeNull()
  })
})
