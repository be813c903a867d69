/** Where on its host the files of a container are: what is mounted into it from there, and nothing of its image. */
import { posix } from 'node:path'

/** A mount, as the kernel lists it (proc(5), /proc/PID/mountinfo). */
export interface Mount {
  /** The file system's device. */
  readonly device: string
  /** The folder, or file, of that file system that is mounted. */
  readonly root: string
  readonly at: string
}
export interface Mounted {
  readonly inside: readonly Mount[]
  readonly host: readonly Mount[]
}

/** Reads a list of mounts. Lines of another form are passed over. */
export const mountsIn = (text: string): readonly Mount[] =>
  text.split('\n').flatMap((line) => {
    const [, device, root, at] = /^\d+ \d+ (\d+:\d+) (\S+) (\S+) /.exec(line) ?? []
    return device === undefined || root === undefined || at === undefined
      ? []
      : [{ device, root: unescaped(root), at: unescaped(at) }]
  })

/** Blanks and the like stand there as octal numbers. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** The path on the host of one in a container; undefined where it is of the container's own image, or of no file system that the host shows. */
export const pathOnHost = (path: string, { inside, host }: Mounted): string | undefined => {
  // Of two mounts at one place, the later one is seen.
  const mount = longest(
    inside.filter(({ at }) => isBelow(path, at)),
    ({ at }) => at,
  )
  if (mount === undefined || mount.at === '/') return undefined
  const within = joined(mount.root, path.slice(mount.at.length))
  const seen = longest(
    host.filter(({ device, root }) => device === mount.device && isBelow(within, root)),
    ({ root }) => root,
  )
  return seen && joined(seen.at, seen.root === '/' ? within : within.slice(seen.root.length))
}

const isBelow = (path: string, folder: string): boolean =>
  folder === '/' || path === folder || path.startsWith(`${folder}/`)

const joined = (folder: string, rest: string): string => posix.join(folder, `./${rest}`).replace(/(?<=.)\/$/, '')

const longest = <T>(all: readonly T[], of: (one: T) => string): T | undefined =>
  all.reduce<T | undefined>(
    (best, one) => (best === undefined || of(one).length >= of(best).length ? one : best),
    undefined,
  )
