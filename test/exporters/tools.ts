/**
 * What the exporters' tests need of Debian's archive: releases in the lab's mirror, each in every version that the archive has, and a folder of
 * packages that the hosts can install from, as they have no way to an archive.
 */
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { attempt, run } from '../../lib/lab/command.ts'
import { transportOptions, writeSources } from '../../lib/lab/debian.ts'
import { ensureImage } from '../../lib/lab/image.ts'
import { ensureLabKey } from '../../lib/lab/keys.ts'
import { type Component, ensureTemplates, mirrorAlso } from '../../lib/lab/mirror.ts'
import { claimRoot, removeOwn } from '../../lib/lab/own.ts'
import { labRoot } from '../../lib/lab/places.ts'
import { catalogue } from '../../roles/exporters/catalogue.ts'

/** Servers that are small, and exporters that are taken as packages. */
const PACKAGES = [
  ...['redis-server', 'memcached', 'nginx', 'postgresql', 'pgbouncer', 'mariadb-server', 'apache2', 'bind9'],
  ...['smartmontools', 'freeipmi-tools', 'curl', 'victoria-metrics'],
  ...['prometheus-process-exporter', 'prometheus-bind-exporter', 'prometheus-apache-exporter'],
]

/** The catalogue's exporters that the archive has as what their projects release. */
const components: readonly Component[] = catalogue.flatMap(({ package: distributed, release }) =>
  distributed
    ? [
        {
          repo: `${release.owner}/${release.repo}`,
          package: distributed.name,
          binaries: { [release.binaries[0] ?? '']: basename(distributed.binary) },
          tarball: release.tarball,
          sums: release.sums,
          flat: release.flat,
        },
      ]
    : [],
)

/** Makes what is missing, once. Returns null: all of it comes from Debian's archive. */
export const ensureExporters = async (say: (what: string) => void): Promise<null> => {
  claimRoot()
  await mirrorAlso(components, say)
  await ensurePackages(say)
  return null
}

/** Where packages lie on the box, as a flat archive that apt reads. */
export const packagesFolder = (): string => join(labRoot(), 'packages')

const ensurePackages = async (say: (what: string) => void): Promise<void> => {
  const mark = createHash('sha256').update(PACKAGES.join()).digest('hex').slice(0, 12)
  if (existsSync(join(packagesFolder(), mark))) return
  const image = await ensureImage({ key: await ensureLabKey(), templates: await ensureTemplates(say) }, say)
  say('fetching packages for the hosts')
  const draft = join(labRoot(), 'packages-draft')
  removeOwn(draft)
  for (const sub of ['lists/partial', 'cache/archives/partial', 'parts', 'ready'])
    mkdirSync(join(draft, sub), { recursive: true })
  await writeSources(join(draft, 'parts', 'archive.sources'), ['bookworm'])
  writeFileSync(join(draft, 'apt.conf'), await transportOptions())
  const options = [
    '-oDir::Etc::SourceList=/dev/null',
    `-oDir::Etc::SourceParts=${draft}/parts`,
    `-oDir::State::Lists=${draft}/lists`,
    `-oDir::Cache=${draft}/cache`,
    `-oDir::State::status=${image}/var/lib/dpkg/status`,
    '-oAPT::Sandbox::User=root',
    '-oAcquire::Languages=none',
    '-qq',
  ]
  await run(['apt-get', ...options, 'update'])
  await run(['apt-get', ...options, '--download-only', '--no-install-recommends', '-y', 'install', ...PACKAGES])
  for (const name of readdirSync(join(draft, 'cache/archives')).filter((one) => one.endsWith('.deb')))
    copyFileSync(join(draft, 'cache/archives', name), join(draft, 'ready', name.replaceAll('%3a', '_')))
  writeFileSync(join(draft, 'ready', 'Packages'), await indexOf(join(draft, 'ready')))
  writeFileSync(join(draft, 'ready', mark), '')
  rmSync(packagesFolder(), { recursive: true, force: true })
  renameSync(join(draft, 'ready'), packagesFolder())
  removeOwn(draft)
}

/** As apt reads an archive without folders (`deb file:/… ./`). */
const indexOf = async (folder: string): Promise<string> => {
  const stanzas: string[] = []
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.deb'))) {
    const { stdout } = await attempt(['dpkg-deb', '--field', join(folder, name)])
    const bytes = readFileSync(join(folder, name))
    const sum = createHash('sha256').update(bytes).digest('hex')
    stanzas.push(`${stdout.trimEnd()}\nFilename: ./${name}\nSize: ${bytes.length}\nSHA256: ${sum}\n`)
  }
  return stanzas.join('\n')
}

if (import.meta.main) {
  await ensureExporters((what) => console.log(what))
  console.log('exporters are in the mirror, and packages for the hosts are there')
}
