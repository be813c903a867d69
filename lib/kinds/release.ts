import { posix } from 'node:path'
import { HostError, InputError } from '../errors.ts'
import { versionsOf } from '../host-paths.ts'
import type { Change, Host, Kind, Prepare, Step, Task, Upload } from '../model.ts'
import { pinned } from '../releases/pinned.ts'
import { buildName, type Release } from '../releases/source.ts'
import { Secret } from '../secret.ts'
import { word } from '../shell.ts'
import { installRelease } from './release-install.ts'
import { MANIFEST, parseRelease, printRelease } from './release-manifest.ts'

/** `tarball` is the SHA-256 of what it was unpacked from; `files` is `intact`, or says which binaries are not as unpacked. */
export type ReleaseState = Readonly<{ tarball: string; files: string }>
export interface ReleaseData {
  readonly release: Release
  readonly host: Host
  /** Known once the task is prepared. */
  readonly upload?: Upload
}

export const releaseKind: Kind<ReleaseState, ReleaseData> = {
  name: 'release',
  summary: 'A release’s binaries, verified, in a folder of their version; old versions stay beside it to a number.',
  prepare: (tasks, context) => Promise.all(tasks.map((task) => prepare(task, context))),
  probe: (tasks) => tasks.map(({ data: { release } }) => printRelease(folderOf(release), release.binaries)).join('\n'),
  parse: (stdout, tasks) =>
    new Map(
      [...parseRelease(stdout)].flatMap(([folder, found]) =>
        tasks
          .filter(({ data: { release } }) => folderOf(release) === folder)
          .map(({ key, data: { release } }) => {
            const changed = release.binaries.filter((binary) => !found.intact.includes(binary))
            const files = changed.length === 0 ? 'intact' : `changed: ${changed.join(', ')}`
            return [key, { tarball: found.tarball, files }]
          }),
      ),
    ),
  converge: (change) => [install(change)],
  explain: ({ from, to }) => {
    if (from === null) return ''
    return from.tarball === to?.tarball
      ? from.files
      : `unpacked from ${from.tarball.slice(0, 12)}, not ${to?.tarball?.slice(0, 12)}`
  },
}

/**
 * A release's binaries, unpacked into the folder of their version beside other versions. Which version is current is a symlink's matter,
 * so that a configuration can be validated by the new version before it serves. Throws InputError on names that could leave the folder.
 */
export const release = (what: Release, host: Host): Task<ReleaseState, ReleaseData> => {
  const odd = [what.name, what.version, ...what.binaries].filter((name) => !/^[A-Za-z0-9][\w.+-]*$/.test(name))
  if (odd.length > 0) {
    throw new InputError(
      odd.map((name) => ({
        where: `release ${what.name} ${what.version}`,
        what: `${JSON.stringify(name)} is not a plain name`,
      })),
    )
  }
  return {
    kind: releaseKind,
    key: `${what.name} ${what.version}`,
    desired: { files: 'intact' },
    data: { release: what, host },
  }
}

/** Where all versions of a release stand. */
/** Where one version's binaries stand. */
export const releaseFolder = (name: string, version: string): string => `${versionsOf(name)}/${version}`
/** The symlink that chooses the version that serves. */
/** Where one version's binary stands. */
export const releaseBinary = (name: string, version: string, binary: string): string =>
  `${releaseFolder(name, version)}/${binary}`

const folderOf = ({ name, version }: Release): string => releaseFolder(name, version)

const addressOf = (releases: string | Secret): string => (releases instanceof Secret ? releases.reveal() : releases)

const prepare = async (
  task: Task<ReleaseState, ReleaseData>,
  { inventory, host, signal }: Prepare,
): Promise<Task<ReleaseState, ReleaseData>> => {
  const { release } = task.data
  const build = { ...release, arch: host.machine.arch }
  const { sha256, fetched } = await pinned(inventory, addressOf(host.machine.releases), build, signal)
  const ready: Upload['ready'] = (signal) =>
    fetched(signal).catch((error: unknown) => {
      throw error instanceof InputError
        ? new HostError(host.name, error.message, { task: `release ${task.key}`, cause: error })
        : error
    })
  return {
    ...task,
    desired: { tarball: sha256, files: 'intact' },
    data: { ...task.data, upload: { sha256, title: buildName(build), ready } },
  }
}

/** What a link leads to is left: another host of the machine may have switched to it. */
const removal = (folder: string): string =>
  `if [ -e ${word(`${folder}/${MANIFEST}`)} ] && ! readlink ${word(posix.dirname(folder))}/current* | grep -qxF ${word(folder)}; then
  rm -rf ${word(folder)}
fi`

const install = ({ task, from }: Change<ReleaseState, ReleaseData>): Step => {
  const { release, host, upload } = task.data
  const folder = folderOf(release)
  return {
    title: from === null ? `install ${task.key}` : `mend ${task.key}`,
    upload,
    run: installRelease({
      folder,
      sha256: upload?.sha256 ?? '',
      binaries: release.binaries,
      single: release.file !== undefined,
      flat: release.flat,
      keep: host.machine.keepReleases,
    }),
    undo: from === null ? `${removal(folder)}\nrmdir ${word(versionsOf(release.name))} 2>/dev/null || :` : undefined,
  }
}
