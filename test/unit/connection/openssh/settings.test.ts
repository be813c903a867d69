import { expect, test } from 'vitest'
import { settingsFor } from '../../../../lib/connection/openssh/settings.ts'
import type { ConnectOptions } from '../../../../lib/connection/options.ts'
import { targetOf } from '../../../../lib/connection/ssh/target.ts'
import type { Link } from '../../../../lib/model.ts'
import { hostWith } from '../host.ts'

const settings = (link: Partial<Link>, flags: ConnectOptions = {}): readonly string[] => {
  const around = { flags, lookup: () => ({}), home: '/home/op', login: 'op', env: {} }
  const target = targetOf(hostWith(link), around)
  return settingsFor(target, { socket: '/tmp/m', asks: false, configFile: link.options?.configfile }).split('\n')
}

test('what Vestal relies on stands first, then the inventory’s word, and the operator’s own configuration last', () => {
  const lines = settings({
    port: 2022,
    user: 'admin',
    options: { stricthostkeychecking: 'no', remotecommand: 'tmux', ciphers: 'aes256-ctr', configfile: '/etc/own' },
  })
  const at = (line: string): number => lines.indexOf(line)
  expect(at('RemoteCommand none')).toBeLessThan(at('remotecommand tmux'))
  expect(at('RemoteCommand none')).toBeGreaterThan(-1)
  expect(at('StrictHostKeyChecking yes')).toBeGreaterThan(-1)
  expect(at('stricthostkeychecking no')).toBe(-1)
  for (const line of ['Port 2022', 'User admin', 'ciphers aes256-ctr'])
    expect(at(line)).toBeLessThan(at('Include /etc/own'))
  expect(lines.at(-2)).toBe('Include /etc/own')
})

test('-F none reads no configuration, and none reads the two that ssh reads', () => {
  const included = (link: Partial<Link>) => settings(link).filter((line) => line.startsWith('Include'))
  expect(included({ options: { configfile: 'none' } })).toEqual([])
  expect(included({})).toEqual([expect.stringMatching(/\/\.ssh\/config"?$/), 'Include /etc/ssh/ssh_config'])
})

test('paths with spaces and per cent signs stay what they are', () => {
  const lines = settings({ keyFile: '/keys/my key 100%' }, { knownHosts: '/known hosts' })
  expect(lines).toContain('IdentityFile "/keys/my key 100%%"')
  expect(lines).toContain('UserKnownHostsFile "/known hosts"')
})

test.each([{ options: { proxycommand: 'nc %h %p\nLocalCommand touch /tmp/x' } }, { keyFile: '/a"b' }])(
  'what would be another setting is refused: %j',
  (link) => {
    expect(() => settings(link)).toThrow('a path or option of ssh has a line break or a double quote in it')
  },
)
