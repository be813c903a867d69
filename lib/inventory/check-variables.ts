import type { ZodType } from 'zod'
import type { Host, Role } from '../model.ts'
import { isSameMachine, machineOf } from '../one-machine.ts'
import { isOn } from '../playbook.ts'
import { Secret } from '../secret.ts'
import { ANSIBLE_NAMES } from './ansible/names.ts'
import { nearest } from './did-you-mean.ts'
import { vestalVariable } from './machine.ts'
import type { Mistakes, Position } from './mistakes.ts'
import type { Checks } from './schema/validate.ts'
import { tlsVariable } from './tls.ts'
import { positionOf } from './yaml/source.ts'
import { isJinja, isTemplated } from './yaml/templating.ts'
import type { Variable } from './yaml/variable.ts'

interface Checking {
  readonly roles: readonly Role[]
  readonly checks: Checks
}

/**
 * Checks one variable by its name: a role's settings, or `vestal`. Returns its value, with a Secret for each text where the role's schema has one.
 */
export const checkVariable = (variable: Variable, { roles, checks }: Checking): unknown => {
  const value = variable.value()
  if (value === null) return value
  const role = roles.find(({ key }) => key === variable.name)
  if (role) return withSecrets(value, checks.parse(variable, role.vars as ZodType, isJinja))
  if (variable.name === 'vestal') return withSecrets(value, checks.parse(variable, vestalVariable, isTemplated))
  if (variable.name === 'tls') return withSecrets(value, checks.parse(variable, tlsVariable, isTemplated))
  return value
}

/** What is nobody's settings but Vestal's own. */
const OWN: readonly string[] = ['vestal', 'tls']

/** Blames a variable whose name is nearly one that means something. */
export const blameUnknown = (variable: Variable, roles: readonly Role[], mistakes: Mistakes): void => {
  if (variable.value() === null || OWN.includes(variable.name) || roles.some(({ key }) => key === variable.name)) return
  const near = variable.name.startsWith('ansible_') ? nearAnsible(variable.name) : nearSettings(variable, roles)
  const at = positionOf(variable.source, variable.key)
  if (near) mistakes.add(at, { what: `unknown variable \`${variable.name}\`; did you mean \`${near}\`?` })
}

/**
 * The value as it was written; where its schema has a secret, that is a Secret. With `sameKeys`, a mapping with keys that the other value doesn't have is
 * taken from there: a secret below them would not be known.
 */
export const withSecrets = (written: unknown, parsed: unknown, { sameKeys = false } = {}): unknown => {
  if (parsed instanceof Secret) return written instanceof Secret ? written : parsed
  if (typeof written !== 'object' || written === null || written instanceof Secret) return written
  const other = typeof parsed === 'object' && parsed !== null ? parsed : {}
  if (sameKeys && Object.keys(written).some((key) => !Object.hasOwn(other, key))) return parsed
  const inside = (key: string, value: unknown) => withSecrets(value, Reflect.get(other, key), { sameKeys })
  return Object.freeze(
    Array.isArray(written)
      ? written.map((item, index) => inside(String(index), item))
      : Object.fromEntries(Object.entries(written).map(([key, value]) => [key, inside(key, value)])),
  )
}

/** Compared without what all such names begin with, so that short ones are not near everything. */
const nearAnsible = (name: string): string | undefined => {
  if (ANSIBLE_NAMES.has(name)) return undefined
  const rest = [...ANSIBLE_NAMES].map((known) => known.slice('ansible_'.length))
  const near = nearest(name.slice('ansible_'.length), rest)
  return near && `ansible_${near}`
}

/** Settings are mappings; a plain value under a similar name (`rule`, `bash`) is the operator's own. */
const nearSettings = (variable: Variable, roles: readonly Role[]): string | undefined => {
  const value = variable.value()
  return typeof value === 'object' && !Array.isArray(value)
    ? nearest(variable.name, [...roles.map(({ key }) => key), ...OWN])
    : undefined
}

/** The groups that a role is usually given to: those of its own name. */
const groupsFor = ({ name, key }: Role): readonly string[] => [name, key, name.replaceAll('_', '-')]

/** Whether a host in these groups, with these variables, has one of the roles. */
export const hasRole = (
  { groups: own, vars = {} }: Pick<Host, 'groups'> & Partial<Pick<Host, 'vars'>>,
  roles: readonly Role[],
): boolean =>
  roles.some(
    (role) => groupsFor(role).some((group) => own.includes(group)) || (role.entries?.claims(vars[role.key]) ?? false),
  )

/** Blames hosts in a role's own group that don't have the settings which that role cannot do without. */
export const blameUnset = (
  hosts: readonly Host[],
  roles: readonly Role[],
  { mistakes, at }: { mistakes: Mistakes; at: (host: Host) => Position | string },
): void => {
  for (const role of roles) {
    const without = hosts.filter((host) => (host.vars[role.key] ?? null) === null && hasRole(host, [role]))
    const [first, ...others] = without
    const result = first && role.vars.safeParse({})
    if (!first || !result?.error) continue
    const needed = [...new Set(result.error.issues.map(({ path }) => path.join('.')))].filter(Boolean).join(', ')
    const who = others.length > 0 ? `${first.name} and ${others.length} more are` : `${first.name} is`
    const group = groupsFor(role).find((name) => first.groups.includes(name))
    mistakes.add(at(first), {
      what: `${who} in the group \`${group}\`, without the variable \`${role.key}\``,
      fix: `set ${role.key}: { … } for it, in group_vars/${group}.yml for instance${needed && `; needed: ${needed}`}`,
    })
  }
}

/**
 * Blames groups whose name is that of a role's group but for `-` and `_`, where their hosts have the role's settings: the role goes by the group, and
 * would pass them over.
 */
export const blameNearGroups = (
  hosts: readonly Host[],
  roles: readonly Role[],
  { mistakes, at }: { mistakes: Mistakes; at: (host: Host) => Position | string },
): void => {
  for (const { group, key } of roles) {
    if (group === undefined) continue
    const near = hosts.flatMap((host) =>
      host.groups
        .filter((one) => one !== group && one.replaceAll('-', '_') === group.replaceAll('-', '_'))
        .map((one) => ({ host, name: one })),
    )
    const [first] = near.filter(({ host }) => (host.vars[key] ?? null) !== null && !host.groups.includes(group))
    if (first)
      mistakes.add(at(first.host), {
        what: `${first.host.name} is in the group \`${first.name}\`, and nothing is installed there: the role goes by the group \`${group}\``,
        fix: `rename the group, or make it a child of \`${group}\``,
      })
  }
}

/**
 * Blames addresses that can't be right between machines: one that two hosts with roles share, and the loopback of one of several machines. A target would be
 * scraped twice under two names, and members would gossip with themselves.
 */
export const blameSharedAddresses = (
  hosts: readonly Host[],
  roles: readonly Role[],
  { mistakes, at }: { mistakes: Mistakes; at: (host: Host) => Position | string },
): void => {
  const ours = hosts.filter((host) => hasRole(host, roles))
  const seen = new Map<string, Host>()
  const fix = 'set vestal: { address: … } for it, to the address under which the other machines reach it'
  for (const host of ours) {
    const address = host.address.toLowerCase()
    const other = seen.get(address)
    seen.set(address, other ?? host)
    if (other && !isSameMachine(host, other))
      mistakes.add(at(host), {
        what: `${host.name} has the address of ${other.name} among the machines: ${address}`,
        fix,
      })
    else if (ours.length > 1 && LOOPBACK.test(address) && (host.link.via === 'ssh' || host.machine.address))
      mistakes.add(at(host), {
        what: `${host.name}'s address among the machines, ${address}, is each machine's own loopback`,
        fix,
      })
  }
}

const LOOPBACK = /^(127(\.\d+){3}|localhost|::1)$/

/**
 * Blames two names for one machine, where both carry a role: they would undo each other's work. Instances don't, as long as each is called otherwise;
 * one of the names may be none.
 */
export const blameSharedMachines = (
  hosts: readonly Host[],
  roles: readonly Role[],
  { mistakes, at }: { mistakes: Mistakes; at: (host: Host) => Position | string },
): void => {
  const seen = new Map<string, Host>()
  for (const host of hosts.filter(({ link }) => link.via === 'ssh').filter((one) => hasRole(one, roles))) {
    const { instance } = host.machine
    const place = JSON.stringify([machineOf(host), instance])
    const other = seen.get(place)
    if (other) {
      const { address, port, options } = host.link
      const same = instance === undefined ? 'the same machine' : `instance ${instance} of the same machine`
      mistakes.add(at(host), {
        what: `${host.name} is ${same} as ${other.name}: ${address}, port ${port ?? options.port ?? '22'}`,
        fix: 'keep one of the two names, or correct the address; for another Prometheus on the machine, name it by vestal: { instance: … }',
      })
    } else seen.set(place, host)
  }
}

/**
 * Blames `tls` where a role of the host has a web server that can't be given a certificate, unless it is named as one that stays in plain text: whoever turned
 * TLS on would think it was on there too.
 */
export const blameUncertified = (
  hosts: readonly Host[],
  roles: readonly Role[],
  { mistakes, at }: { mistakes: Mistakes; at: (host: Host) => Position | string },
): void => {
  const told = new Set<string>()
  const blame = (host: Host, name: string, mistake: { readonly what: string; readonly fix: string }): void => {
    if (told.has(name)) return
    told.add(name)
    mistakes.add(at(host), { path: 'tls', ...mistake })
  }
  for (const host of hosts.filter(({ tls }) => tls !== undefined)) {
    const plain = host.tls?.plain ?? []
    for (const name of plain)
      if (!roles.some((role) => role.name === name))
        blame(host, name, {
          what: `no role is called ${name}`,
          fix: `plain names ${roles.map((one) => one.name).join(', ')}`,
        })
    for (const role of roles) {
      const { name } = role
      if (role.scrape && !role.web && !plain.includes(name) && isOn(role, host))
        blame(host, name, {
          what: `the web server of ${name} on ${host.name} can't be given a certificate`,
          fix: `leave it in plain text, which others can read: tls: { plain: [${name}] }; or set tls: false for the host`,
        })
    }
  }
}
