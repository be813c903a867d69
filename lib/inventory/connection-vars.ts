import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { type ZodType, z } from 'zod'
import type { Link } from '../model.ts'
import { parseSshArguments } from './ansible/ssh-arguments.ts'
import { address, port, secret } from './schema/fields.ts'
import type { Checks } from './schema/validate.ts'
import { isTemplated } from './yaml/templating.ts'
import type { Variable } from './yaml/variable.ts'

const digits = (error: string) => z.string({ error }).regex(/^\d+$/, { error }).transform(Number)

const text = z.string().min(1)
const portNumber = z.union([port, digits('expected a port from 1 to 65535').pipe(port)], {
  error: 'expected a port from 1 to 65535',
})
const SECONDS = 'expected a number of seconds'
const seconds = z.union([z.int().positive(), digits(SECONDS)], { error: SECONDS })
const flag = z.union(
  [
    z.boolean(),
    z.stringbool({ truthy: ['y', 'yes', 'on', '1', 'true', 't'], falsy: ['n', 'no', 'off', '0', 'false', 'f'] }),
    z.literal([0, 1]).transform(Boolean),
  ],
  { error: 'expected true or false' },
)
const method = z.literal(['sudo', 'ansible.builtin.sudo', 'community.general.sudo'], {
  error: 'expected sudo, the one way to become another user that is supported',
})
const via = z.enum(
  [
    'ssh',
    'local',
    'smart',
    'paramiko',
    'paramiko_ssh',
    'ansible.builtin.ssh',
    'ansible.builtin.local',
    'ansible.builtin.paramiko_ssh',
  ],
  { error: 'expected ssh or local, the connections that are supported' },
)
const sshArguments = z.string().transform((value, context) => {
  try {
    return parseSshArguments(value)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    context.addIssue({ code: 'custom', message: error.message })
    return z.NEVER
  }
})
const keyInText = z.never({ error: 'a key inside the inventory is not supported; set ansible_ssh_private_key_file' })

/**
 * Ansible's connection variables that Vestal obeys. Where several mean the same, the last of the names given to `setting` counts.
 * Source: the `vars` of ansible-core's plugins/connection/ssh.py and plugins/become/sudo.py.
 */
export const CONNECTION = {
  ansible_connection: via,
  ansible_host: address,
  ansible_ssh_host: address,
  ansible_port: portNumber,
  ansible_ssh_port: portNumber,
  ansible_user: text,
  ansible_ssh_user: text,
  ansible_password: secret,
  ansible_ssh_pass: secret,
  ansible_ssh_password: secret,
  ansible_private_key_file: text,
  ansible_ssh_private_key_file: text,
  ansible_private_key_passphrase: secret,
  ansible_ssh_private_key_passphrase: secret,
  ansible_private_key: keyInText,
  ansible_ssh_private_key: keyInText,
  ansible_ssh_executable: text,
  ansible_ssh_args: sshArguments,
  ansible_ssh_common_args: sshArguments,
  ansible_ssh_extra_args: sshArguments,
  ansible_host_key_checking: flag,
  ansible_ssh_host_key_checking: flag,
  ansible_timeout: seconds,
  ansible_ssh_timeout: seconds,
  ansible_become: flag,
  ansible_become_method: method,
  ansible_become_user: text,
  ansible_sudo_user: text,
  ansible_become_password: secret,
  ansible_become_pass: secret,
  ansible_sudo_pass: secret,
} satisfies Readonly<Record<string, ZodType>>

type Name = keyof typeof CONNECTION
type Setting<N extends Name> = z.output<(typeof CONNECTION)[N]> | undefined

/** How to reach a host, from its variables; what doesn't fit is a mistake, and left out. */
export const linkOf = (
  { name, variables, env }: { name: string; variables: ReadonlyMap<string, Variable>; env: NodeJS.ProcessEnv },
  checks: Checks,
): Link => {
  const setting = <N extends Name>(...names: readonly N[]): Setting<N> =>
    names.map((one) => read(one)).findLast((value) => value !== undefined)
  const read = <N extends Name>(one: N): Setting<N> => {
    const variable = variables.get(one)
    if (!variable || variable.value() === null) return undefined
    return checks.parse(variable, CONNECTION[one] as ZodType<z.output<(typeof CONNECTION)[N]>>, isTemplated)
  }
  for (const one of Object.keys(CONNECTION) as Name[]) read(one)
  const strict = setting('ansible_host_key_checking', 'ansible_ssh_host_key_checking')
  const keyFile = setting('ansible_private_key_file', 'ansible_ssh_private_key_file')
  const wait = setting('ansible_timeout', 'ansible_ssh_timeout')
  return {
    via: setting('ansible_connection')?.endsWith('local') ? 'local' : 'ssh',
    address: setting('ansible_host', 'ansible_ssh_host') ?? name,
    port: setting('ansible_port', 'ansible_ssh_port'),
    user: setting('ansible_user', 'ansible_ssh_user'),
    password: setting('ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'),
    keyFile: keyFile === undefined ? undefined : resolve(keyFile.replace(/^~(?=\/|$)/, env.HOME ?? homedir())),
    passphrase: setting('ansible_private_key_passphrase', 'ansible_ssh_private_key_passphrase'),
    // Ansible calls ssh with them in this order, and ssh obeys the first.
    program: setting('ansible_ssh_executable'),
    options: {
      ...setting('ansible_ssh_extra_args'),
      ...setting('ansible_ssh_common_args'),
      ...(strict === false ? { stricthostkeychecking: 'no' } : {}),
      ...setting('ansible_ssh_args'),
    },
    become: setting('ansible_become')
      ? {
          user: setting('ansible_become_user', 'ansible_sudo_user') ?? 'root',
          password: setting('ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'),
        }
      : undefined,
    connectTimeout: wait === undefined ? '10s' : `${wait}s`,
  }
}
