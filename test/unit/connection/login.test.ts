import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import ssh2 from 'ssh2'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import type { ConnectOptions } from '../../../lib/connection/options.ts'
import type { Link } from '../../../lib/model.ts'
import { Secret } from '../../../lib/secret.ts'
import { hostOf, hostWith, ways } from './host.ts'
import { makeKey, me, type Sshd, startSshd } from './sshd.ts'

describe.each(ways)('%s', (_, way) => {
  let sshd: Sshd
  let nobodys: string
  beforeAll(async () => {
    sshd = await startSshd({ config: ['PasswordAuthentication no', 'KbdInteractiveAuthentication no'] })
    nobodys = makeKey(join(sshd.folder, 'nobodys'))
    vi.stubEnv('HOME', sshd.folder)
    vi.stubEnv('SSH_AUTH_SOCK', undefined)
  })
  afterEach(() => vi.stubEnv('SSH_AUTH_SOCK', undefined))
  afterAll(async () => {
    vi.unstubAllEnvs()
    await sshd.stop()
  })

  const tryIt = async (link: Partial<Link>, options: ConnectOptions = {}): Promise<string> => {
    await using connection = await connect(hostOf(sshd, { ...way, keyFile: undefined, ...link }), {
      knownHosts: sshd.knownHosts,
      ...options,
    })
    return (await connection.exec('echo in')).stdout.toString()
  }
  const refused = (): string => `${me}@127.0.0.1:${sshd.port} refused the login: `
  const allow = (key: string): void =>
    void execFileSync('sh', ['-c', `cat ${key}.pub >>${sshd.folder}/authorized_keys`])

  describe('keys', () => {
    test('the flag, the inventory, the options and the configuration each can name the key', async () => {
      expect(await tryIt({}, { privateKey: sshd.key })).toBe('in\n')
      expect(await tryIt({ keyFile: sshd.key })).toBe('in\n')
      expect(await tryIt({ keyFile: '~/id' })).toBe('in\n')
      expect(await tryIt({ options: { identityfile: sshd.key } })).toBe('in\n')
    })

    test.each(['rsa', 'ecdsa', 'ed25519'] as const)('a key of type %s', async (type) => {
      const key = makeKey(join(sshd.folder, `user-${type}`), { type })
      allow(key)
      expect(await tryIt({ keyFile: key })).toBe('in\n')
    })

    test('without any word of a key, those that ssh tries by itself are tried', async () => {
      mkdirSync(join(sshd.folder, '.ssh'))
      await expect(tryIt({})).rejects.toThrow(`${refused()}there is no key, agent or password to try`)
      copyFileSync(sshd.key, join(sshd.folder, '.ssh', 'id_ed25519'))
      expect(await tryIt({})).toBe('in\n')
    })

    test('an encrypted key opens with its passphrase', async () => {
      const key = makeKey(join(sshd.folder, 'locked'), { passphrase: 'open sesame' })
      allow(key)
      expect(await tryIt({ keyFile: key, passphrase: new Secret('open sesame') })).toBe('in\n')
      await expect(tryIt({ keyFile: key })).rejects.toMatchObject({
        message: expect.stringContaining(`${refused()}tried key ${key} (is encrypted, and no passphrase is given)`),
        hint: 'Give `ansible_ssh_private_key_passphrase`, or load the key into ssh-agent.',
      })
      await expect(tryIt({ keyFile: key, passphrase: new Secret('abracadabra') })).rejects.toThrow(
        `tried key ${key} (is encrypted with another passphrase than the one given)`,
      )
    })

    test('a key that is refused is named by file and fingerprint, with what the host takes', async () => {
      const print = execFileSync('ssh-keygen', ['-l', '-f', nobodys]).toString().split(' ')[1]
      await expect(tryIt({ keyFile: nobodys })).rejects.toMatchObject({
        name: 'LinkError',
        host: 'web-1',
        message: `${refused()}tried key ${nobodys} (${print}); it takes publickey`,
        hint: 'Is this the right user, and is the public key in its authorized_keys?',
      })
    })

    test('a key that the operator names must be there; one in the configuration need not', async () => {
      await expect(tryIt({ keyFile: '/nowhere/id' })).rejects.toMatchObject({
        message: 'the private key /nowhere/id is not there',
        hint: 'Check --private-key and `ansible_ssh_private_key_file`.',
      })
      expect(await tryIt({ keyFile: sshd.key, options: { identityfile: '/nowhere/id' } })).toBe('in\n')
    })

    test('a file that is no key says so', async () => {
      await expect(tryIt({ keyFile: sshd.knownHosts })).rejects.toThrow(
        /known_hosts \((cannot be used|holds no private key)/,
      )
    })

    test('when the host allows no more tries, that is what is said', async () => {
      const strict = await startSshd({ config: ['MaxAuthTries 1'] })
      onTestFinished(() => strict.stop())
      const host = hostOf(strict, { ...way, keyFile: nobodys, options: { identityfile: strict.key } })
      await expect(connect(host, { knownHosts: strict.knownHosts })).rejects.toMatchObject({
        hint: 'It allows no more tries: name the right key with `--private-key`, or set `IdentitiesOnly yes`.',
      })
    })
  })

  describe('ssh-agent', () => {
    const startAgent = async (...keys: readonly string[]): Promise<string> => {
      const socket = join(sshd.folder, `agent-${keys.length}-${Date.now()}`)
      const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
      onTestFinished(async () => {
        agent.kill()
        await once(agent, 'exit')
      })
      while (!existsSync(socket)) await sleep(10)
      for (const key of keys) execFileSync('ssh-add', ['-q', key], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
      return socket
    }

    test('its keys are tried', async () => {
      vi.stubEnv('SSH_AUTH_SOCK', await startAgent(nobodys, sshd.key))
      expect(await tryIt({})).toBe('in\n')
    })

    test('IdentityAgent names another, and none turns it off', async () => {
      const socket = await startAgent(sshd.key)
      expect(await tryIt({ options: { identityagent: socket } })).toBe('in\n')
      vi.stubEnv('SSH_AUTH_SOCK', socket)
      await expect(tryIt({ keyFile: nobodys, options: { identityagent: 'none' } })).rejects.toThrow('refused')
    })

    test('with IdentitiesOnly it signs only for the named keys', async () => {
      vi.stubEnv('SSH_AUTH_SOCK', await startAgent(sshd.key))
      const only = { identitiesonly: 'yes' }
      await expect(tryIt({ keyFile: nobodys, options: only })).rejects.toThrow(
        /tried key \S+nobodys \(\S+\), ssh-agent \(0 keys\)/,
      )
      const halved = join(sshd.folder, 'halved')
      copyFileSync(`${sshd.key}.pub`, halved)
      expect(await tryIt({ options: { ...only, identityfile: halved } })).toBe('in\n')
    })

    test('one that is gone is passed over, and named when nothing else lets us in', async () => {
      vi.stubEnv('SSH_AUTH_SOCK', '/nowhere/agent')
      expect(await tryIt({ keyFile: sshd.key })).toBe('in\n')
      await expect(tryIt({ keyFile: nobodys })).rejects.toThrow('ssh-agent (does not answer at /nowhere/agent)')
    })
  })

  /** A server whose rules a test can set: sshd would need accounts with passwords for these. */
  const startServer = async (
    allow: (context: ssh2.AuthContext, tries: number) => void,
  ): Promise<{ port: number; knownHosts: string }> => {
    let tries = 0
    const server = new ssh2.Server({ hostKeys: [readFileSync(join(sshd.folder, 'host_ed25519'))] }, (client) => {
      client.on('error', () => {})
      client.on('authentication', (context) => allow(context, ++tries))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const knownHosts = join(sshd.folder, `known-${port}`)
    execFileSync('sh', ['-c', `printf '%s\\n' '[127.0.0.1]:${port} ${sshd.hostKeys.ed25519}' >${knownHosts}`])
    return { port, knownHosts }
  }
  const logIn = async (at: { port: number; knownHosts: string }, link: Partial<Link>): Promise<string> => {
    await using connection = await connect(hostWith({ ...way, port: at.port, user: 'ops', ...link }), {
      knownHosts: at.knownHosts,
    })
    return connection.host.name
  }

  describe('passwords', () => {
    const password = new Secret('pässword')
    test('a password', async () => {
      const server = await startServer((context) =>
        context.method === 'password' && context.password === 'pässword'
          ? context.accept()
          : context.reject(['password']),
      )
      expect(await logIn(server, { password })).toBe('web-1')
      await expect(logIn(server, { password: new Secret('wrong') })).rejects.toThrow(
        'refused the login: tried password; it takes password',
      )
      await expect(logIn(server, { keyFile: nobodys })).rejects.toMatchObject({
        hint: 'It takes no keys: give `ansible_password`.',
      })
    })

    test('a host that asks for it by keyboard-interactive', async () => {
      const server = await startServer((context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive'])
        context.prompt([{ prompt: 'Password for you: ', echo: false }], (answers) =>
          answers[0] === 'pässword' ? context.accept() : context.reject(['keyboard-interactive']),
        )
      })
      expect(await logIn(server, { password })).toBe('web-1')
      await expect(logIn(server, { password: new Secret('wrong') })).rejects.toThrow(
        'password (keyboard-interactive); it takes keyboard-interactive',
      )
    })

    test('the password is the answer to one question only', async () => {
      const heard: string[] = []
      const server = await startServer((context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive'])
        const questions = [
          { prompt: 'User: ', echo: true },
          { prompt: 'Password: ', echo: false },
          { prompt: 'One-time code: ', echo: false },
        ]
        context.prompt(questions, (answers) => {
          heard.push(...answers)
          context.reject(['keyboard-interactive'])
        })
      })
      await expect(logIn(server, { password })).rejects.toThrow('refused the login')
      expect(heard).toEqual(['', 'pässword', ''])
    })

    test('a host that wants a key and then a password gets both', async () => {
      let keyed = false
      const server = await startServer((context) => {
        if (context.method === 'publickey') {
          if (!context.signature) return context.accept()
          keyed = true
          return context.reject(['password'], true)
        }
        return context.method === 'password' && keyed ? context.accept() : context.reject(['publickey'])
      })
      expect(await logIn(server, { password, keyFile: sshd.key })).toBe('web-1')
    })

    test('an error never holds the password', async () => {
      const server = await startServer((context) => context.reject(['password', 'keyboard-interactive']))
      const error = await logIn(server, { password, passphrase: new Secret('open sesame') }).catch(
        (one: unknown) => one,
      )
      expect(`${JSON.stringify(error)} ${(error as Error).stack}`).not.toMatch(/pässword|open sesame/)
    })
  })
})
