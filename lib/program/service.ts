import { called, currentOf } from '../host-paths.ts'
import { releaseBinary } from '../kinds/release.ts'
import { type ServiceOptions, service } from '../kinds/service.ts'
import { unit } from '../kinds/unit.ts'
import type { ReleaseOf, Task } from '../model.ts'
import { type Flags, flagNames, flagWords } from './flags.ts'
import { execStart, onPath, switched } from './release.ts'

interface ReleaseService extends Pick<ServiceOptions, 'enabled' | 'loads' | 'restartsOn' | 'reloads' | 'defaults'> {
  /** Its first binary is the one that runs. */
  readonly release: ReleaseOf
  readonly version: string
  /** Which of several on one machine it is: its unit has the name behind its own, and it runs by a link of its own. */
  readonly instance?: string
  /** The first word after the binary, for a program that is several. */
  readonly subcommand?: string
  readonly flags: Flags
  /** The unit file, with its command as `ExecStart=` takes it. */
  unit(command: string): string
}

/**
 * The last tasks of a role that runs a release: its version is switched to, its unit written, once this version knows all the flags, and its
 * service runs. What it reads stands before these, and its release too. Throws InputError on a name that systemd wouldn't take.
 */
export const programService = (name: string, running: ReleaseService): readonly Task[] => [
  ...switched(running.release, running.version, running.instance),
  ...runningService(name, running),
]

/** The same without the switch: for a host with several services of one release. */
export const runningService = (
  usual: string,
  { release, version, instance, subcommand, flags, ...more }: ReleaseService,
): readonly Task[] => {
  const [main = release.name] = release.binaries
  const name = called(usual, instance)
  const binary = instance === undefined ? onPath(main) : `${currentOf(release.name, instance)}/${main}`
  const command = [binary, ...(subcommand === undefined ? [] : [subcommand]), ...flagWords(flags)]
  const executable = releaseBinary(release.name, version, main)
  const file = unit(`${name}.service`, more.unit(execStart(command)), {
    flagsOf: { binary: executable, subcommand, flags: flagNames(flags) },
  })
  const { enabled, loads, restartsOn, reloads, defaults } = more
  return [file, service(name, { command, executable, unit: file, enabled, loads, restartsOn, reloads, defaults })]
}
