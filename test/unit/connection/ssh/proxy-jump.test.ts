import { expect, test } from 'vitest'
import { type Jump, parseJumps } from '../../../../lib/connection/ssh/proxy-jump.ts'

test.each<[string, readonly Jump[] | null]>([
  ['bastion', [{ name: 'bastion' }]],
  ['ops@bastion:2222', [{ name: 'bastion', user: 'ops', port: 2222 }]],
  ['a,ops@b', [{ name: 'a' }, { name: 'b', user: 'ops' }]],
  ['a, b', [{ name: 'a' }, { name: 'b' }]],
  ['ssh://ops@bastion:2222', [{ name: 'bastion', user: 'ops', port: 2222 }]],
  ['ops@[2001:db8::1]:22', [{ name: '2001:db8::1', user: 'ops', port: 22 }]],
  ['user@domain@bastion', [{ name: 'bastion', user: 'user@domain' }]],
  ['none', []],
  ['', null],
  ['a,,b', null],
  ['bastion:', null],
  ['two words', null],
])('ProxyJump %j', (text, wanted) => {
  expect(parseJumps(text)).toEqual(wanted)
})
