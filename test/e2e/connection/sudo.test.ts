import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Host, Link } from '../../../lib/model.ts'
import { Secret } from '../../../lib/secret.ts'
import { labHost, password, reach, say } from './lab-link.ts'

const as = (user: string, become: Link['become']): Host => labHost(0, { user, become })
const root = { user: 'root' }

describe.each([
  ['without a password', as('ops', root)],
  ['with a password', as('deploy', { ...root, password })],
  ['with a password that sudo does not ask for', as('ops', { ...root, password })],
])('sudo %s', (_how, host) => {
  test('scripts run as root, with the same surroundings as for a login', async () => {
    expect(await say(host, 'id -un; pwd; umask; echo $LC_ALL $HOME; exit 0')).toBe('root\n/\n0022\nC /root\n')
  })

  test('standard input and output are byte for byte the same, some megabytes of them', async () => {
    const bytes = randomBytes(5_000_000)
    await using connection = await reach(host)
    const { code, stdout, stderr } = await connection.exec('cat; exit 4', { stdin: bytes })
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' })
    expect(createHash('sha256').update(stdout).digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
    const streamed = await connection.exec('sha256sum', {
      stdin: Readable.from([bytes.subarray(0, 777), bytes.subarray(777)]),
    })
    expect(streamed.stdout.toString()).toContain(createHash('sha256').update(bytes).digest('hex'))
  })

  test('an abort ends the script, though root runs it', async () => {
    await using connection = await reach(host)
    const stop = new AbortController()
    let pid = ''
    const running = connection.exec('echo $$; sleep 300', {
      signal: stop.signal,
      onStdout(chunk) {
        pid = chunk.toString().trim()
        stop.abort(new Error('enough'))
      },
    })
    await expect(running).rejects.toThrow('enough')
    expect(
      (await connection.exec(`for i in $(seq 100); do kill -0 ${pid} 2>/dev/null || exit 0; sleep 0.05; done; exit 1`))
        .code,
    ).toBe(0)
  })

  test('a script that a signal ends has the code that a shell would give', async () => {
    expect(await say(host, 'kill -9 $$')).toMatch(/^exit 137/)
  })
})

test('another account than root', async () => {
  expect(await say(as('root', { user: 'ops' }), 'id -un; echo $HOME')).toBe('ops\n/home/ops\n')
  expect(await say(as('ops', { user: 'nobody' }), 'id -un')).toBe('nobody\n')
})

test('who is that account already does not ask sudo', async () => {
  expect(await say(as('root', root), 'echo ${SUDO_USER-none}')).toBe('none\n')
  expect(await say(as('deploy', { user: 'deploy' }), 'echo ${SUDO_USER-none}')).toBe('none\n')
})

describe('sudo that is refused is an error, in its own words, and says what to do', () => {
  beforeAll(() =>
    say(
      labHost(0),
      'id mallory 2>/dev/null >&2 || useradd -m mallory; install -d /home/mallory/.ssh; cp /home/ops/.ssh/authorized_keys /home/mallory/.ssh/; chown -R mallory /home/mallory/.ssh',
    ),
  )
  afterAll(() => say(labHost(0), 'userdel -rf mallory 2>/dev/null; rm -f /etc/sudoers.d/zz-vestal-test'))

  const refused = async (host: Host) => {
    await using connection = await reach(host)
    return await connection.exec('touch /tmp/vestal-ran').catch((error: unknown) => error)
  }

  test('a wrong password is tried once, and the script is not taken for the next try', async () => {
    await using watcher = await reach(labHost(0))
    const error = await refused(as('deploy', { ...root, password: new Secret('wrong') }))
    expect(error).toMatchObject({
      name: 'SudoError',
      host: 'lab-1',
      message: expect.stringMatching(/^sudo to root was refused: .*1 incorrect password attempt/),
      hint: 'The password was wrong: check `ansible_become_password`.',
    })
    expect(String(error)).not.toContain('vestal-sudo-password')
    expect((await watcher.exec('test -e /tmp/vestal-ran')).code).toBe(1)
  })

  test('a password that is needed and not given', async () => {
    expect(await refused(as('deploy', root))).toMatchObject({
      message: 'sudo to root was refused: sudo: a password is required',
      hint: 'Give `ansible_become_password`, or allow this account to use sudo without one (NOPASSWD).',
    })
  })

  test('an account that may not use sudo at all', async () => {
    expect(await refused(as('mallory', root))).toMatchObject({
      message: expect.stringMatching(/^sudo to root was refused: sudo: a password is required|not in the sudoers/),
    })
    await say(labHost(0), "printf 'mallory:letmein\\n' | chpasswd")
    expect(await refused(as('mallory', { ...root, password: new Secret('letmein') }))).toMatchObject({
      message: expect.stringContaining('mallory is not in the sudoers file'),
      hint: 'Give the account the right to run `sh` as that user in sudoers.',
    })
  })

  test('an account that may run other commands only', async () => {
    await say(labHost(0), "echo 'mallory ALL=(root) NOPASSWD: /usr/bin/id' >/etc/sudoers.d/zz-vestal-test")
    const error = await refused(as('mallory', { ...root, password: new Secret('letmein') }))
    expect(error).toMatchObject({
      message: expect.stringMatching(/not allowed to execute/),
      hint: expect.stringContaining('`sh`'),
    })
  })

  test('sudo that wants a terminal', async () => {
    await say(
      labHost(0),
      "printf 'Defaults:mallory requiretty\\nmallory ALL=(ALL) NOPASSWD: ALL\\n' >/etc/sudoers.d/zz-vestal-test",
    )
    expect(await refused(as('mallory', root))).toMatchObject({
      message: expect.stringContaining('you must have a tty'),
      hint: 'Take `requiretty` off in sudoers for this account: `Defaults:NAME !requiretty`.',
    })
  })

  test('a user that is not there', async () => {
    expect(await refused(as('ops', { user: 'nowhere' }))).toMatchObject({
      message: expect.stringMatching(/^sudo to nowhere was refused: sudo: unknown user/),
      hint: 'Create that user, or set `ansible_become_user` to one that exists.',
    })
  })

  test('a machine without sudo', async () => {
    await say(labHost(0), 'mv /usr/bin/sudo /usr/bin/sudo.away')
    try {
      expect(await refused(as('ops', root))).toMatchObject({
        message: expect.stringContaining('sudo'),
        hint: 'Install sudo on the host, or log in as that user with `ansible_become: false`.',
      })
    } finally {
      await say(labHost(0), 'mv /usr/bin/sudo.away /usr/bin/sudo')
    }
  })
})

test('the password stands in no argument list, environment or log of the host', async () => {
  await using connection = await reach(as('deploy', { ...root, password }))
  const secret = password.reveal()
  const script = `read -r wanted; for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do grep -q "$wanted" $file 2>/dev/null && echo $file; done; journalctl -q --no-pager | grep -c "$wanted"`
  const { stdout } = await connection.exec(script, { stdin: Buffer.from(`${secret}\n`) })
  expect(stdout.toString()).toBe('0\n')
})
