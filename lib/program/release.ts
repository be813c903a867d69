import { currentOf } from '../host-paths.ts'
import { execLine } from '../kinds/exec-line.ts'
import { release, releaseFolder } from '../kinds/release.ts'
import { symlink } from '../kinds/symlink.ts'
import type { Host, ReleaseOf, Task } from '../model.ts'
import { ofInstance } from '../one-machine.ts'

/** Puts one version's binaries beside the others, without switching to it. */
export const staged = (program: ReleaseOf, version: string, host: Host): Task => release({ ...program, version }, host)

/** Switches to a version, and links its binaries to where people look for them; an instance switches for itself alone. */
export const switched = ({ name, binaries }: ReleaseOf, version: string, instance?: string): readonly Task[] => [
  symlink(currentOf(name, instance), releaseFolder(name, version)),
  ...(instance === undefined ? binaries.map((binary) => symlink(onPath(binary), `${currentOf(name)}/${binary}`)) : []),
]

/** The tasks whose states say which version of a program runs on a host and which is on disk. */
export const programTasks = (name: string, host: Host): { readonly service: string; readonly current: string } => ({
  service: `service ${ofInstance(host, name)}`,
  current: `symlink ${currentOf(name, host.machine.instance)}`,
})

/** Where a binary stands on PATH, whatever version is current. */
export const onPath = (binary: string): string => `/usr/local/bin/${binary}`

/** A command for `ExecStart=`, one word a line. Throws what `execLine` throws. */
export const execStart = (command: readonly string[]): string => {
  const prefix = execLine(command).startsWith(':') ? ':' : ''
  return prefix + command.map((word) => execLine(['/', word]).replace(/^:?\/ /, '')).join(' \\\n  ')
}

/** A path for a setting of a unit that takes several, such as `ReadWritePaths=`. */
export const unitPath = (path: string): string =>
  /^[\w@+=:,./-]+$/.test(path)
    ? path
    : `"${path.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`
