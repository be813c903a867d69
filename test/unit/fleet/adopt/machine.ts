/** A host that answers the questions of `adopt` from data: what runs on it, and its files. */
import { matchesGlob } from 'node:path'
import type { Connection, Host } from '../../../../lib/model.ts'

export interface Machine {
  readonly name: string
  readonly address: string
  readonly processes?: readonly Process[]
  readonly files?: Readonly<Record<string, string>>
  readonly idle?: readonly string[]
}
export interface Process {
  readonly unit: string
  readonly command: readonly string[]
  readonly version: string
  readonly user?: string
  readonly folder?: string
  readonly cgroup?: string
  readonly environment?: readonly string[]
  readonly dropIns?: readonly string[]
  /** What else runs in its unit. */
  readonly others?: readonly string[]
  /** As `name=value` lines. */
  readonly usual?: string
  /** Of one in a container: lists of mounts as the kernel has them. */
  readonly mounted?: { readonly network: 'host' | 'own'; readonly inside: string; readonly host: string }
}

const b = (text: string): string => Buffer.from(text).toString('base64')
const fileLine = (path: string, text?: string): string =>
  `file ${b(path)} 640 root root ${Buffer.byteLength(text ?? '')} ${text === undefined ? '-' : `+${b(text)}`}`

/** What the first question is answered with. */
export const answerOf = ({ name, address, processes = [], files = {}, idle = [] }: Machine): string =>
  [
    `name ${b(name)}`,
    `name ${b(address)}`,
    ...processes.flatMap(
      ({ unit, command, version, user = 'prometheus', folder = '/', cgroup, usual = '', mounted }, at) => [
        ...(mounted ? [`mounts ${100 + at} ${mounted.network} =${b(mounted.inside)} =${b(mounted.host)}`] : []),
        `process ${100 + at} ${mounted ? 'other' : 'same'} ${user} =${b(command[0] ?? '')} =${b(cgroup ?? `0::/system.slice/${unit}`)} =${b(folder)} =${b(command.map((word) => `${word}\0`).join(''))} =${b(version)} =${b(usual)}`,
      ],
    ),
    ...processes.map(
      ({ unit, environment = [], dropIns = [] }) =>
        `unit ${b(unit)} =${b([`Id=${unit}`, `FragmentPath=/etc/systemd/system/${unit}`, `DropInPaths=${dropIns.join(' ')}`, ...environment.map((path) => `EnvironmentFiles=${path} (ignore_errors=yes)`)].join('\n'))}`,
    ),
    ...processes.flatMap(({ unit, others = [] }, at) => [
      `with ${b(unit)} ${100 + at} =${b('itself')}`,
      ...others.map((name, n) => `with ${b(unit)} ${500 + n} =${b(name)}`),
    ]),
    ...Object.entries(files).map(([path, text]) => fileLine(path, text)),
    ...idle.map((unit) => `idle ${b(unit)}`),
    'end',
    '',
  ].join('\n')

/** `NAME, version VERSION …`, as such a program prints it. */
export const says = (name: string, version: string): string =>
  `${name}, version ${version} (branch: HEAD, revision: 0)\n  build user: x\n`

export const hostOf = ({ name, address }: Pick<Machine, 'name' | 'address'>): Host =>
  ({
    name,
    address,
    groups: [],
    vars: { ansible_host: address, ansible_user: 'root' },
    link: { via: 'ssh', address, options: {}, connectTimeout: '10s' },
    machine: { arch: 'amd64', releases: '', keepReleases: 3 },
  }) as unknown as Host

/** A connection to it; `answers` in place of what it would say first. */
export const connectionTo = (machine: Machine, answers?: string | Buffer): Connection => {
  const { files = {} } = machine
  let asked = 0
  const exec = async (script: string) => {
    asked += 1
    return {
      code: 0,
      stderr: '',
      stdout: Buffer.from(asked === 1 ? (answers ?? answerOf(machine)) : filesAsked(script)),
    }
  }
  const filesAsked = (script: string): string =>
    [
      ...[...script.matchAll(/^maybe (\S+)$/gm)].flatMap(([, path = '']) =>
        path in files ? [fileLine(path, files[path])] : [],
      ),
      ...[...script.matchAll(/^folder (\S+)$/gm)].map(([, path = '']) => `folder ${b(path)} nobody root`),
      ...[...script.matchAll(/^pattern='?(.*?)'?$[\s\S]*?then (file|owner) /gm)].flatMap(
        ([, pattern = '', how], at) => [
          `ask ${at}`,
          ...Object.entries(files)
            .filter(([path]) => path === pattern || matchesGlob(path, pattern))
            .map(([path, text]) => fileLine(path, how === 'file' ? text : undefined)),
        ],
      ),
      'end',
      '',
    ].join('\n')
  return { host: hostOf(machine), exec } as unknown as Connection
}
