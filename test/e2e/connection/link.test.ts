import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { cable, changeHostKey, freeze, powerLoss, powerOn, restoreHostKey, thaw } from '../../../lib/lab/faults.ts'
import { Secret } from '../../../lib/secret.ts'
import { lab, labHost, password, reach, say } from './lab-link.ts'

/** The lab's last host: others may be using the first ones. */
const last = lab.hosts.length - 1
const victim = lab.hosts[last]?.name ?? ''
const unplug = (host: string, of: string): Promise<void> => cable(host, 'down', of)
const plugIn = (host: string, of: string): Promise<void> => cable(host, 'up', of)

describe('logins', () => {
  test('a password instead of a key, as PAM checks it', async () => {
    const host = labHost(0, { user: 'deploy', keyFile: undefined, password })
    expect(await say(host, 'id -un')).toBe('deploy\n')
    await expect(say({ ...host, link: { ...host.link, password: new Secret('wrong') } }, 'true')).rejects.toMatchObject(
      {
        name: 'LinkError',
        message: expect.stringMatching(/^deploy@\S+ refused the login: tried .*password/),
      },
    )
  })

  test('a host behind another one', async () => {
    const first = labHost(0)
    const host = labHost(1, { options: { proxyjump: `ops@${first.address}` } })
    expect((await say(host, 'echo ${SSH_CLIENT%% *}')).trim()).toBe(first.address)
    await using connection = await reach(host)
    await expect(connection.request({ port: 1, path: '/' })).rejects.toThrow('nothing listens on 127.0.0.1:1')
  })

  test('an address that nobody has', async () => {
    const host = labHost(0, { address: '10.88.0.251', connectTimeout: '5s' })
    await expect(reach(host)).rejects.toMatchObject({ name: 'LinkError', message: 'there is no route to 10.88.0.251' })
  })
})

describe('what can happen to a machine', () => {
  /** sshd is away for a moment while it takes up another key. */
  const settled = { timeout: 10_000, interval: 100 }

  test('a new host key is refused, and nothing runs; with the old one it is let in again', async () => {
    await changeHostKey(victim, lab.name)
    try {
      const changed =
        /^the host key of \S+ has changed: it shows ssh-ed25519 SHA256:\S+, and \S+known_hosts:\d+ says otherwise$/
      await vi.waitFor(
        () =>
          expect(reach(labHost(last), { acceptNewHostKeys: true })).rejects.toMatchObject({
            name: 'LinkError',
            host: victim,
            message: expect.stringMatching(changed),
          }),
        settled,
      )
    } finally {
      await restoreHostKey(victim, lab.name)
    }
    await vi.waitFor(async () => expect(await say(labHost(last), 'echo in')).toBe('in\n'), settled)
  })

  const patient = { serveraliveinterval: '0.5', serveralivecountmax: '3' }
  test.each([
    ['freezes', freeze, thaw],
    ['loses its cable', unplug, plugIn],
    ['loses its power', powerLoss, powerOn],
  ])('a host that %s while a script runs is a lost link, not a success', async (_what, happen, mend) => {
    onTestFinished(() => mend(victim, lab.name))
    await using connection = await reach(labHost(last, { options: patient }))
    const running = connection.exec('echo; sleep 300', { onStdout: () => void happen(victim, lab.name) })
    await expect(running).rejects.toMatchObject({
      name: 'LinkError',
      host: victim,
      message: expect.stringMatching(
        /^the link was lost while a script ran: (the host no longer answers|the connection was reset|the host closed the connection|read \w+)$/,
      ),
    })
  })

  test('a host that is off or frozen is given up after the time that the inventory allows', async () => {
    onTestFinished(() => thaw(victim, lab.name))
    await freeze(victim, lab.name)
    await expect(reach(labHost(last, { connectTimeout: '1s' }))).rejects.toMatchObject({
      name: 'LinkError',
      message: expect.stringContaining('did not finish the SSH handshake within 1.0 s'),
    })
    await thaw(victim, lab.name)
    onTestFinished(() => plugIn(victim, lab.name))
    await unplug(victim, lab.name)
    await expect(reach(labHost(last, { connectTimeout: '1s' }))).rejects.toMatchObject({
      name: 'LinkError',
      message: expect.stringMatching(/did not answer within 1.0 s|there is no route to/),
    })
  })
})
