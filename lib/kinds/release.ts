import type { Host, Kind, Task } from '../model.ts'
import { pending } from './pending.ts'

export type ReleaseState = Readonly<{ tarball: string; files: string }>
export interface Release {
  readonly owner: string
  readonly repo: string
  readonly name: string
  readonly version: string
  readonly binaries: readonly string[]
}
export interface ReleaseData {
  readonly release: Release
  readonly keep: number
}

export const releaseKind: Kind<ReleaseState, ReleaseData> = pending('release', '')

/** A release's binaries, unpacked into the folder of their version beside other versions. Which version is current is a symlink's matter. */
export const release = (what: Release, host: Host): Task<ReleaseState, ReleaseData> => ({
  kind: releaseKind,
  key: `${what.name} ${what.version}`,
  desired: { files: 'intact' },
  data: { release: what, keep: host.machine.keepReleases },
})

export const releaseFolder = (name: string, version: string): string => `/opt/vestal/${name}/${version}`
/** The symlink that chooses the version that serves. */
export const currentFolder = (name: string): string => `/opt/vestal/${name}/current`
/** Where one version's binary stands. */
export const releaseBinary = (name: string, version: string, binary: string): string =>
  `${releaseFolder(name, version)}/${binary}`
