/**
 * A mirror of upstream's releases made from Debian's archive: the same names, folders and checksums as the projects'
 * own download pages, in each version that Debian has today, so that upgrades can be tried without the internet.
 */
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { globSync } from 'glob'
import { run } from './command.ts'
import { type ArchiveVersion, architecture, goName, readArchive, unpackPackage, versionsOf } from './debian.ts'
import { withLock } from './lock.ts'
import { removeOwn } from './own.ts'
import { labMirror, labRoot } from './places.ts'
import type { Progress } from './progress.ts'

/** One tarball of the mirror. */
export interface MirrorRelease {
  /** `owner/name` of the project. */
  readonly repo: string
  readonly name: string
  readonly version: string
  /** As Go and upstream's file names write it: `amd64`, `arm64`. */
  readonly arch: string
  /** The tarball's path. Its sha256sums.txt is beside it. */
  readonly file: string
}

/** What a release is made of: a package of the archive, and what its project calls its files. */
export interface Component {
  readonly repo: string
  /** Debian's package of the server, whose versions count. */
  readonly package: string
  /** A package that holds one of the binaries in some versions only. */
  readonly extra?: string
  /** Upstream's name of each binary, and Debian's. */
  readonly binaries: Readonly<Record<string, string>>
  /** Where the tarball isn't `{name}-{version}.{os}-{arch}.tar.gz`, over these fields. */
  readonly tarball?: string
  /** Where its list of checksums isn't `sha256sums.txt`, over the same. */
  readonly sums?: string
  /** Its binaries stand in no folder of the tarball. */
  readonly flat?: boolean
}

const components: readonly Component[] = [
  {
    repo: 'prometheus/prometheus',
    package: 'prometheus',
    extra: 'promtool',
    binaries: { prometheus: 'prometheus', promtool: 'promtool' },
  },
  {
    repo: 'prometheus/alertmanager',
    package: 'prometheus-alertmanager',
    binaries: { alertmanager: 'prometheus-alertmanager', amtool: 'amtool' },
  },
  {
    repo: 'prometheus/node_exporter',
    package: 'prometheus-node-exporter',
    binaries: { node_exporter: 'prometheus-node-exporter' },
  },
]

/** Where Alertmanager's templates of the newest version are kept, for the hosts' image. */
const templatesFolder = (): string => join(labRoot(), 'alertmanager-templates')

/**
 * Makes what is missing of the mirror, once; `refresh` looks for newer versions again. Asks the archive only then. `arch` is another
 * architecture than the box's, as Debian names it.
 */
export const ensureMirror = async (
  say: Progress,
  { refresh = false, arch }: { readonly refresh?: boolean; readonly arch?: string } = {},
): Promise<void> => {
  const go = arch === undefined ? (await architecture()).go : goName(arch)
  const whole = join(labMirror(), `.complete-${go}`)
  await withLock(join(labRoot(), 'locks', 'mirror'), async () => {
    if (existsSync(whole) && !refresh) return
    say(`reading Debian's archive for releases${arch === undefined ? '' : ` for ${arch}`}`)
    const options = await readArchive(arch)
    for (const component of components) await mirrorComponent(component, { options, go, say })
    writeFileSync(whole, '')
  })
}

/** Makes what is missing of the mirror for these too: each version that the archive has, which is asked only where a project has none yet. */
export const mirrorAlso = async (more: readonly Component[], say: Progress): Promise<void> => {
  const { go } = await architecture()
  const markOf = ({ repo }: Component): string => join(labMirror(), repo, `.complete-${go}`)
  await withLock(join(labRoot(), 'locks', 'mirror'), async () => {
    const missing = more.filter((component) => !existsSync(markOf(component)))
    if (missing.length === 0) return
    const options = await readArchive()
    for (const component of missing) {
      await mirrorComponent(component, { options, go, say })
      writeFileSync(markOf(component), '')
    }
  })
}

/** Takes Alertmanager's templates out of the newest package, once. Returns their folder. */
export const ensureTemplates = async (say: Progress): Promise<string> => {
  const folder = templatesFolder()
  await withLock(join(labRoot(), 'locks', 'mirror'), async () => {
    if (existsSync(folder)) return
    say("fetching Alertmanager's templates")
    const options = await readArchive()
    const [newest] = await versionsOf('prometheus-alertmanager', options)
    if (!newest) throw new Error('the archive has no prometheus-alertmanager')
    await inDraft(async (draft) => {
      await unpackPackage(newest, draft, options)
      const kept = join(draft, 'kept')
      mkdirSync(kept)
      for (const file of globSync(join(draft, 'usr/share/prometheus/alertmanager/*.tmpl')))
        copyFileSync(file, join(kept, basename(file)))
      renameSync(kept, folder)
    })
  })
  return folder
}

/** What the mirror holds now, by project and rising version. */
export const mirrorReleases = (): MirrorRelease[] =>
  globSync('*/*/releases/download/v*/*.tar.gz', { cwd: labMirror() })
    .flatMap((path) => {
      const [, name, version, arch] = /^(.+)-([^-]+)\.linux-(\w+)\.tar\.gz$/.exec(basename(path)) ?? []
      if (!name || !version || !arch) return []
      return [{ repo: path.split('/').slice(0, 2).join('/'), name, version, arch, file: join(labMirror(), path) }]
    })
    .sort((a, b) => a.repo.localeCompare(b.repo) || a.version.localeCompare(b.version, 'en', { numeric: true }))

interface Making {
  readonly options: readonly string[]
  readonly go: string
  readonly say: Progress
}

const mirrorComponent = async (component: Component, making: Making): Promise<void> => {
  const extras = component.extra ? await versionsOf(component.extra, making.options) : []
  for (const server of await versionsOf(component.package, making.options)) {
    const release = join(labMirror(), component.repo, 'releases/download', `v${server.upstream}`)
    if (globSync(join(release, `*linux?${making.go}.tar.gz`)).length > 0) continue
    making.say(`mirroring ${basename(component.repo)} ${server.upstream}`)
    const packages = [server, ...extras.filter(({ debian }) => debian === server.debian)]
    await inDraft((draft) => makeRelease({ component, packages, release, draft }, making))
  }
}

interface Release {
  readonly component: Component
  readonly packages: readonly ArchiveVersion[]
  readonly release: string
  readonly draft: string
}

/**
 * Puts the tarball and its sums together aside, then gives the finished folder its name. One that is there already, such as with a tarball
 * for another architecture, keeps what it holds.
 */
const makeRelease = async (
  { component, packages, release, draft }: Release,
  { options, go }: Making,
): Promise<void> => {
  const unpacked = join(draft, 'unpacked')
  for (const each of packages) await unpackPackage(each, unpacked, options)
  const fields: Readonly<Record<string, string>> = {
    ...{ name: basename(component.repo), version: packages[0]?.upstream ?? '', os: 'linux', arch: go },
  }
  const filled = (template: string): string => template.replaceAll(/\{(\w+)\}/g, (_, field) => fields[field] ?? '')
  const title = filled('{name}-{version}.{os}-{arch}')
  const tree = join(draft, title)
  mkdirSync(tree, { recursive: true })
  for (const [upstream, debian] of Object.entries(component.binaries)) {
    copyFileSync(join(unpacked, 'usr/bin', debian), join(tree, upstream))
    chmodSync(join(tree, upstream), 0o755)
  }
  copyFileSync(join(unpacked, 'usr/share/doc', component.package, 'copyright'), join(tree, 'LICENSE'))
  const finished = join(draft, 'finished')
  mkdirSync(finished)
  const tarball = join(finished, component.tarball === undefined ? `${title}.tar.gz` : filled(component.tarball))
  const sums = filled(component.sums ?? 'sha256sums.txt')
  const plain = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u+rw,go+r,go-w']
  const content = component.flat
    ? ['-C', tree, ...plain, '-I', 'gzip -1 -n', '-cf', tarball, ...readdirSync(tree)]
    : ['-C', draft, ...plain, '-I', 'gzip -1 -n', '-cf', tarball, title]
  await run(['tar', ...content])
  const sum = createHash('sha256').update(readFileSync(tarball)).digest('hex')
  writeFileSync(join(finished, sums), `${sum}  ${basename(tarball)}\n`)
  mkdirSync(dirname(release), { recursive: true })
  if (!existsSync(release)) return renameSync(finished, release)
  appendFileSync(join(release, sums), readFileSync(join(finished, sums)))
  renameSync(tarball, join(release, basename(tarball)))
}

const inDraft = async (work: (draft: string) => Promise<void>): Promise<void> => {
  const draft = join(labRoot(), 'mirror-draft')
  removeOwn(draft)
  mkdirSync(draft, { recursive: true })
  await work(draft)
  removeOwn(draft)
}
