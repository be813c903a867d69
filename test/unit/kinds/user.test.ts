import { describe, expect, test } from 'vitest'
import { systemUser } from '../../../lib/kinds/user.ts'
import { holdsTheLaw, stepsOf } from './machine.ts'
import { sandbox } from './sandbox.ts'

describe.each(['dash', 'bash'] as const)('under %s', (shell) => {
  test('a missing user is added with a group of its own, no login and no home made', () => {
    using box = sandbox(shell)
    holdsTheLaw(box, [systemUser('prometheus', { groups: ['adm'] })])
    expect(box.sh('getent passwd prometheus').output).toMatch(
      /^prometheus:x:\d+:\d+::\/nonexistent:\/usr\/sbin\/nologin$/,
    )
    expect(box.sh('id -Gn prometheus').output).toBe('prometheus adm')
  })

  test('an existing user is kept as it is; only missing groups are added', () => {
    using box = sandbox(shell)
    box.sh('useradd --home-dir /home/by-hand --shell /bin/sh prometheus; usermod -aG games prometheus')
    expect(box.changes([systemUser('prometheus', { home: '/var/lib/prometheus' })])).toEqual([])
    holdsTheLaw(box, [systemUser('prometheus', { groups: ['adm', 'games', 'daemon'] })])
    expect(box.sh('id -Gn prometheus').output.split(' ').sort()).toEqual(['adm', 'daemon', 'games', 'prometheus'])
    expect(box.sh('getent passwd prometheus').output).toContain(':/home/by-hand:/bin/sh')
  })

  test('a group of that name that is there already becomes the user’s own', () => {
    using box = sandbox(shell)
    box.sh('groupadd node-exp')
    expect(box.take(stepsOf(box.changes([systemUser('node-exp')])))).toEqual({ code: 0, output: '' })
    expect(box.sh('id -gn node-exp').output).toBe('node-exp')
  })

  test('a user whose group was never written, as after a power loss, gets it with the number that it has', () => {
    using box = sandbox(shell)
    box.sh('useradd --system --user-group prometheus; sed -i /^prometheus:/d /etc/group /etc/gshadow')
    const gid = box.sh('id -g prometheus').output
    expect(box.take(stepsOf(box.changes([systemUser('prometheus')])))).toEqual({ code: 0, output: '' })
    expect(box.changes([systemUser('prometheus')])).toEqual([])
    expect(box.sh('getent group prometheus').output).toBe(`prometheus:x:${gid}:`)
  })

  test('a group that does not exist is named', () => {
    using box = sandbox(shell)
    const ran = box.take(stepsOf(box.changes([systemUser('prometheus', { groups: ['nobodies'] })])))
    expect(ran.code).not.toBe(0)
    expect(ran.output).toContain("group 'nobodies' does not exist")
  })
})

test('a name that no system would take is refused', () => {
  expect(() => systemUser('a b')).toThrow('user or group "a b": is not a name that a system takes')
})
