import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseSshArguments } from '../../../lib/inventory/ansible/ssh-arguments.ts'
import type { Link } from '../../../lib/model.ts'
import { load } from './files.ts'

const linkFrom = async (vars: Readonly<Record<string, unknown>>): Promise<Link> => {
  const { hosts } = await load({ files: { 'hosts.yml': JSON.stringify({ all: { hosts: { web1: vars } } }) } })
  const [host] = hosts
  if (!host) throw new Error('no host')
  return host.link
}

describe('how a host is reached', () => {
  test('is by its name over ssh where nothing is said', async () => {
    expect(await linkFrom({})).toEqual({ via: 'ssh', address: 'web1', options: {}, connectTimeout: '10s' })
  })
  test('follows Ansible’s variables', async () => {
    const link = await linkFrom({
      ansible_host: '2001:db8::1',
      ansible_port: 2222,
      ansible_user: 'ops',
      ansible_ssh_private_key_file: '/keys/id',
      ansible_become: 'yes',
      ansible_become_user: 'root',
      ansible_timeout: '30',
    })
    expect(link).toEqual({
      via: 'ssh',
      address: '2001:db8::1',
      port: 2222,
      user: 'ops',
      keyFile: '/keys/id',
      options: {},
      become: { user: 'root' },
      connectTimeout: '30s',
    })
  })
  test('lets the ssh_ form of a variable win, as Ansible does', async () => {
    const link = await linkFrom({
      ansible_host: 'a',
      ansible_ssh_host: 'b',
      ansible_port: 1,
      ansible_ssh_port: '2',
      ansible_user: 'x',
      ansible_ssh_user: 'y',
    })
    expect(link).toMatchObject({ address: 'b', port: 2, user: 'y' })
  })
  test('starts relative keys at the working folder, and ~ at home', async () => {
    expect((await linkFrom({ ansible_ssh_private_key_file: 'keys/id' })).keyFile).toBe(resolve('keys/id'))
    expect((await linkFrom({ ansible_private_key_file: '~/.ssh/id' })).keyFile).toMatch(
      /^\/.*vestal-inventory-.*\/\.ssh\/id$/,
    )
  })
  test.each(['smart', 'paramiko', 'ansible.builtin.ssh'])('is ssh for a %s connection', async (ansible_connection) => {
    expect((await linkFrom({ ansible_connection })).via).toBe('ssh')
  })
  test('is local where the inventory says so, whatever the name', async () => {
    expect((await linkFrom({ ansible_connection: 'local' })).via).toBe('local')
  })
  test.each([true, 'true', 'Yes', 'on', '1', 1])('becomes root for %j', async (ansible_become) => {
    expect((await linkFrom({ ansible_become })).become).toEqual({ user: 'root' })
  })
  test.each([false, 'no', 'False', 0, null])('stays the user for %j', async (ansible_become) => {
    expect((await linkFrom({ ansible_become })).become).toBeUndefined()
  })
  test('takes the first of the ssh options, in the order Ansible gives them to ssh', async () => {
    const { options } = await linkFrom({
      ansible_ssh_args: '-o ControlMaster=no',
      ansible_ssh_common_args: '-J bastion -o ControlMaster=yes',
      ansible_ssh_extra_args: '-J other -o StrictHostKeyChecking=yes',
      ansible_host_key_checking: false,
    })
    expect(options).toEqual({ controlmaster: 'no', proxyjump: 'bastion', stricthostkeychecking: 'no' })
  })
})

describe('options of ssh', () => {
  test.each([
    ['-o ProxyJump=a,b', { proxyjump: 'a,b' }],
    ['-oProxyJump=a -o "UserKnownHostsFile /a b"', { proxyjump: 'a', userknownhostsfile: '/a b' }],
    [`-o 'ProxyCommand=ssh -W "%h:%p" a'`, { proxyjump: 'a' }],
    [`-o ProxyCommand="ssh -W %h:%p -q user@bastion -p 2222"`, { proxyjump: 'user@bastion:2222' }],
    [`-o ProxyCommand='/usr/bin/ssh -l ops -p22 -W%h:%p b'`, { proxyjump: 'ops@b:22' }],
    ['-o ProxyCommand=none -o ConnectTimeout=1m', { proxycommand: 'none', connecttimeout: '1m' }],
    [
      '-J root@b:22 -p 2222 -i ~/.ssh/id -F /dev/null -l ops',
      { proxyjump: 'root@b:22', port: '2222', identityfile: '~/.ssh/id', configfile: '/dev/null', user: 'ops' },
    ],
    ['-Jbastion -4 -vvv -CqTp22', { proxyjump: 'bastion', addressfamily: 'inet', port: '22' }],
    ['-o User=first -o User=second -o a\\ b=c', { user: 'first', a: 'b=c' }],
    ['-o UserKnownHostsFile="/with space" -o Tag=', { userknownhostsfile: '/with space', tag: '' }],
    ['  ', {}],
  ])('%s', (text, options) => {
    expect(parseSshArguments(text)).toEqual(options)
  })
})
