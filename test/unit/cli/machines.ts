/**
 * Machines for whole commands: each is an sshd here, whose logins find /opt, /run and /var/lib to be a folder of its own. None has systemd, so
 * that commands are told `--tags base`.
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { main } from '../../../cli/main.ts'
import type { RunEvent } from '../../../lib/engine/events.ts'
import type { RunReport } from '../../../lib/model.ts'
import { freePort, me, startSshd } from '../connection/sshd.ts'

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** What `--json` printed line by line. */
  readonly events: readonly RunEvent[]
  readonly report: RunReport | undefined
}
export interface Machines extends AsyncDisposable {
  /** The folder with the inventory of all. */
  readonly inventory: string
  /** Where a path of a machine is outside of it. */
  at(name: string, path: string): string
  /** How many scripts were sent to a machine. */
  scripts(name: string): number
  /** Adds a host to the inventory that nobody answers for. */
  addDeadHost(name: string): Promise<void>
  /** Everything is as it was in the beginning. */
  reset(): void
}

const FOLDERS = ['opt', 'run', 'var/lib', 'usr/local/sbin']

export const startMachines = async (names: readonly string[]): Promise<Machines> => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-machines-'))
  const disk = (name: string): string => join(folder, name)
  const sshds = await Promise.all(
    names.map(async (name) => {
      mkdirSync(disk(name))
      writeFileSync(`${disk(name)}.enter`, enterScript(disk(name)))
      chmodSync(`${disk(name)}.enter`, 0o755)
      return startSshd({ config: [`ForceCommand ${disk(name)}.enter`] })
    }),
  )
  const inventory = join(folder, 'small')
  const hosts = Object.fromEntries(
    names.map((name, index) => [
      name,
      { ansible_port: sshds[index]?.port, ansible_ssh_private_key_file: sshds[index]?.key },
    ]),
  )
  const write = (more: object = {}): void =>
    writeFileSync(join(inventory, 'hosts.yml'), JSON.stringify({ all: { vars, hosts: { ...hosts, ...more } } }))
  const reset = (): void => {
    for (const name of names) {
      rmSync(disk(name), { recursive: true })
      for (const one of FOLDERS) mkdirSync(join(disk(name), one), { recursive: true })
      // What a script waits for by sleeping, it looks for at once.
      symlinkSync('/bin/true', join(disk(name), 'usr/local/sbin/sleep'))
    }
    rmSync(runs, { recursive: true, force: true })
    mkdirSync(inventory, { recursive: true })
    write()
  }
  const runs = join(folder, 'runs')
  process.env.VESTAL_RUNS = runs
  const vars = {
    ansible_host: '127.0.0.1',
    ansible_user: me,
    ansible_ssh_common_args: `-F none -o UserKnownHostsFile=${join(folder, 'known_hosts')}`,
    node_exporter: { version: '1.11.1' },
  }
  writeFileSync(join(folder, 'known_hosts'), sshds.map(({ knownHosts }) => readFileSync(knownHosts, 'utf8')).join(''))
  reset()
  return {
    inventory,
    reset,
    at: (name, path) => join(disk(name), path),
    scripts: (name) => readFileSync(join(disk(name), 'scripts'), { encoding: 'utf8', flag: 'a+' }).length,
    addDeadHost: async (name) => write({ [name]: { ansible_port: await freePort() } }),
    async [Symbol.asyncDispose]() {
      await Promise.all(sshds.map((sshd) => sshd.stop()))
      rmSync(folder, { recursive: true })
    },
  }
}

const enterScript = (disk: string): string => `#!/bin/sh
printf . >>${disk}/scripts
exec unshare --mount --propagation private sh -c '${FOLDERS.map((one) => `mount --bind ${disk}/${one} /${one}`).join(' && ')} && eval "$SSH_ORIGINAL_COMMAND"'
`

/** Runs a command line in this process. `onEvent` hears each event of `--json` as it is printed. */
export const vestal = async (words: readonly string[], onEvent?: (event: RunEvent) => void): Promise<Ended> => {
  const heard = { stdout: '', stderr: '' }
  const json = words.includes('--json')
  using _out = listen('stdout', (text) => {
    heard.stdout += text
    if (json && onEvent) onEvent(JSON.parse(text) as RunEvent)
  })
  using _err = listen('stderr', (text) => {
    heard.stderr += text
  })
  const code = await main(words)
  const events =
    json && /^\{"at"/.test(heard.stdout)
      ? heard.stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as RunEvent)
      : []
  const last = events.at(-1)
  return { code, ...heard, events, report: last?.event === 'run-ended' ? last.report : undefined }
}

const listen = (stream: 'stdout' | 'stderr', heard: (text: string) => void): Disposable => {
  const spy = vi.spyOn(process[stream], 'write').mockImplementation((text) => {
    heard(String(text))
    return true
  })
  return { [Symbol.dispose]: () => spy.mockRestore() }
}
