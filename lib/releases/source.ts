import { resolve } from 'node:path'
import { InputError } from '../errors.ts'
import type { Machine } from '../model.ts'
import { urlOf } from '../url.ts'

/** A release as its project names it: `owner` and `repo` on the forge, `name` in the tarball's name. */
export interface Release {
  readonly owner: string
  readonly repo: string
  readonly name: string
  readonly version: string
  /** Executable files wanted from the tarball, by name. */
  readonly binaries: readonly string[]
  /** The names of the tarball and of the list of checksums, where they aren't the usual ones, over the fields of a template. */
  readonly tarball?: string
  readonly sums?: string
  /** Its binaries stand in no folder of the tarball. */
  readonly flat?: boolean
  /** The name of the file where it is the one binary itself and no tarball: `cortex-{os}-{arch}`. */
  readonly file?: string
}
/** One tarball: a release for one architecture. */
export interface Build extends Release {
  readonly arch: Machine['arch']
}
/** Where a tarball is. `shown` is the address without credentials. */
export type Source =
  | { readonly via: 'file'; readonly path: string; readonly shown: string }
  | { readonly via: 'http'; readonly url: string; readonly authorization?: string; readonly shown: string }

const LAYOUT = '{owner}/{repo}/releases/download/v{version}/{name}-{version}.{os}-{arch}.tar.gz'
const FIELDS = ['owner', 'repo', 'name', 'version', 'os', 'arch'] as const

/** What a build is called in the lock file and in errors: `prometheus/prometheus 3.5.3 linux-amd64`. */
export const buildName = ({ owner, repo, version, arch }: Build): string => `${owner}/${repo} ${version} linux-${arch}`

/**
 * Where a build's tarball is, from an inventory's `releases`: a URL template, or `file:` and a mirror's root (relative ones
 * start at `folder`), which holds upstream's layout. A release that is no tarball is a file of its own name in the same folder.
 * Throws InputError on another scheme or an unknown field in braces.
 */
export const tarballSource = (releases: string, build: Build, folder: string): Source => {
  const path = /^file:(?:\/\/(?=\/))?(.*)$/s.exec(releases)?.[1]
  if (path !== undefined) {
    const template = path.includes('{') ? path : `${path.replace(/\/+$/, '')}/${LAYOUT}`
    const full = resolve(folder, fill(inFolder(template, build), build, releases))
    return { via: 'file', path: full, shown: `file:${full}` }
  }
  return httpSource(fill(inFolder(releases, build), build, releases), releases)
}

/** The template with a release's own file name in place of the usual tarball's; a query stays. */
const inFolder = (template: string, { file, tarball }: Build): string => {
  const own = file ?? tarball
  return own === undefined ? template : template.replace(/[^/?#]*(?=$|[?#])/, () => own)
}

/** The list of checksums that stands beside a tarball; the one checksum of a release that is a file of its own. */
export const sumsSource = (
  tarball: Source,
  { file, sums = 'sha256sums.txt', ...build }: Partial<Build> = {},
): Source => {
  const beside = (address: string): string =>
    file === undefined
      ? address.replace(/[^/]*$/, () => fill(sums, build, sums))
      : address.replace(/[^/?#]*(?=$|[?#])/, (name) => (name === '' ? '' : `${name}-sha-256`))
  return tarball.via === 'file'
    ? { via: 'file', path: beside(tarball.path), shown: beside(tarball.shown) }
    : { ...tarball, url: beside(tarball.url), shown: beside(tarball.shown) }
}

/** A tarball's name, as the list of checksums has it. */
export const tarballName = (tarball: Source): string => {
  const last = (tarball.via === 'file' ? tarball.path : new URL(tarball.url).pathname).split('/').at(-1) ?? ''
  return tarball.via === 'file' ? last : decodeURIComponent(last)
}

const fill = (template: string, build: Partial<Build>, releases: string): string =>
  template.replaceAll(/\{(\w*)\}/g, (braces, field) => {
    const value = { ...build, os: 'linux' }[field as (typeof FIELDS)[number]]
    if (value === undefined || !FIELDS.includes(field)) {
      throw wrong(releases, `has no field ${braces}`, `The fields are ${FIELDS.map((one) => `{${one}}`).join(' ')}.`)
    }
    return value
  })

const httpSource = (address: string, releases: string): Source => {
  const url = urlOf(address)
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw wrong(releases, 'is neither an http(s) address nor a file: folder', 'For example “file:/srv/releases”.')
  }
  const { username, password } = url
  url.username = ''
  url.password = ''
  url.hash = ''
  const account = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const authorization = username ? `Basic ${Buffer.from(account).toString('base64')}` : undefined
  // A query is where tokens stand, and what is shown is also what is written into the lock file, which is committed.
  return { via: 'http', url: url.href, authorization, shown: url.href.slice(0, url.href.length - url.search.length) }
}

const wrong = (releases: string, what: string, fix: string): InputError =>
  new InputError([
    {
      where: `vestal.releases ${JSON.stringify(releases.replace(/\/\/[^/@]*@/, '//').replace(/\?.*$/s, ''))}`,
      what,
      fix,
    },
  ])
