import { describe, expect, test } from 'vitest'
import type { ZodType } from 'zod'
import * as fields from '../../../../lib/inventory/schema/fields.ts'
import { Secret } from '../../../../lib/secret.ts'

const { byteCount, secret, ...rest } = fields
const TABLE: Readonly<Record<string, { type: ZodType; good: readonly unknown[]; bad: readonly unknown[] }>> = {
  duration: {
    type: rest.duration,
    good: ['0s', '500ms', '15d'],
    bad: ['15', 15, '1.5h', '30m1h', '1h 30m', ' 1s', '-1s', '', 'd'],
  },
  version: {
    type: rest.version,
    good: ['3.5.3', '0.0.1', '3.6.0-rc.1'],
    bad: ['vv3.5.3', 'v3.5', '3.5', 3.5, '03.5.1', '3.5.3+b', 'latest', '3.5.3-'],
  },
  port: { type: rest.port, good: [1, 65_535], bad: [0, 65_536, '22', 1.5, null] },
  absolutePath: {
    type: rest.absolutePath,
    good: ['/a', '/var/lib/x.y', '/a/..b', '/ü b'],
    bad: ['/', 'a', '/a/', '//a', '/a/../b', '/./a', '/a\0', ''],
  },
  bytes: { type: rest.bytes, good: ['0B', '512MiB', '2TiB'], bad: ['512mb', '512M', '512', 512, '1.5GiB', '5 GiB'] },
  url: { type: rest.url, good: ['http://a', 'https://a:1/b?c#d'], bad: ['ftp://a', 'a.b', 'http://', '//a'] },
  labelName: { type: rest.labelName, good: ['a', '_a1', 'A_b'], bad: ['__a', '1a', 'a-b', 'ü', ''] },
  labels: { type: rest.labels, good: [{}, { a: '' }], bad: [{ a: 1 }, { 'a-b': 'c' }, [], 'a'] },
  address: {
    type: rest.address,
    good: ['10.0.0.1', '::1', '2001:db8::1', 'a', 'a_b.example.net', 'h-1', '1a'],
    bad: ['10.0.0.256', '1.2.3', 'a b', 'a:1', '-a', 'a-', '', 'a..b', ':::'],
  },
  listenAddress: {
    type: rest.listenAddress,
    good: [':1', '0.0.0.0:65535', '[::]:9090', 'a.b:80'],
    bad: ['9090', 'a', 'a:0', 'a:65536', '::1:80', 'a:b'],
  },
  mode: { type: rest.mode, good: ['0640', '4755'], bad: ['640', '0888', 416, '00640', 'u=rw'] },
}

describe.each(Object.entries(TABLE))('the field %s', (_, { type, good, bad }) => {
  test.each(good)('takes %j', (value) => expect(type.parse(value)).toEqual(value))
  test.each(bad)('refuses %j, saying what it expected', (value) => {
    expect(type.safeParse(value).error?.issues[0]?.message).toMatch(/^(expected|Invalid key)/)
  })
})

test.each([
  ['duration', '1m30s', '90s'],
  ['duration', '1y', '365d'],
  ['duration', '4w', '28d'],
  ['duration', '1h1ms', '3600001ms'],
  ['duration', '90s', '90s'],
  ['version', 'v3.6.0-rc.1', '3.6.0-rc.1'],
  ['bytes', '50GB', '50GiB'],
  ['bytes', '5B', '5B'],
] as const)('the field %s takes %j as Prometheus does, for %j', (field, written, meant) => {
  expect((rest[field] as ZodType).parse(written)).toBe(meant)
})

describe('a secret field', () => {
  test('makes a Secret of text, and keeps one', () => {
    expect(secret.parse('hush').reveal()).toBe('hush')
    const given = new Secret('hush')
    expect(secret.parse(given)).toBe(given)
  })
  test.each([5, null, {}, [], { $env: 'A' }])('refuses %j without repeating it', (value) => {
    expect(secret.safeParse(value).error?.issues[0]?.message).toBe(
      'must be text, { $env: NAME } or { $file: path } (a number needs quotes)',
    )
  })
})

test('a size counts in powers of 1024', () => {
  expect(['7B', '1KiB', '3MiB', '2GiB', '1TiB'].map(byteCount)).toEqual([7, 1024, 3 * 2 ** 20, 2 * 2 ** 30, 2 ** 40])
  expect(() => byteCount('5MB')).toThrow(RangeError)
})
