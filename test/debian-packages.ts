/** Packages of Debian's archive for hosts of the lab, which have no way to an archive: each set a folder that their apt reads. */
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
import { join } from 'node:path'
import { attempt, run } from '../lib/lab/command.ts'
import { transportOptions, writeSources } from '../lib/lab/debian.ts'
import { ensureImage } from '../lib/lab/image.ts'
import { ensureLabKey } from '../lib/lab/keys.ts'
import { ensureTemplates } from '../lib/lab/mirror.ts'
import { removeOwn } from '../lib/lab/own.ts'
import { labRoot } from '../lib/lab/places.ts'

/** Where a set lies on the box. */
export const debianPackages = (name: string): string => join(labRoot(), name)

/** Fetches these packages, with what they depend on beyond the lab's image, into a folder of this name; once. */
export const ensurePackages = async (
  name: string,
  packages: readonly string[],
  say: (what: string) => void,
): Promise<void> => {
  const folder = debianPackages(name)
  const mark = createHash('sha256').update(packages.join()).digest('hex').slice(0, 12)
  if (existsSync(join(folder, mark))) return
  const image = await ensureImage({ key: await ensureLabKey(), templates: await ensureTemplates(say) }, say)
  say('fetching packages for the hosts')
  const draft = `${folder}-draft`
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
  await run(['apt-get', ...options, '--download-only', '--no-install-recommends', '-y', 'install', ...packages])
  for (const name of readdirSync(join(draft, 'cache/archives')).filter((one) => one.endsWith('.deb')))
    copyFileSync(join(draft, 'cache/archives', name), join(draft, 'ready', name.replaceAll('%3a', '_')))
  writeFileSync(join(draft, 'ready', 'Packages'), await indexOf(join(draft, 'ready')))
  writeFileSync(join(draft, 'ready', mark), '')
  rmSync(folder, { recursive: true, force: true })
  renameSync(join(draft, 'ready'), folder)
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
