/**
 * What is the lab's to remove. VESTAL_LAB_DIR may name any folder and the lab works as root, so a folder becomes the lab's only by being
 * empty when the first lab comes up; nothing is removed but by a name that the lab gave, below such a folder and past no link.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { InputError } from '../errors.ts'
import { labKey, labRoot } from './places.ts'

const mark = (): string => join(labRoot(), '.vestal-lab')

/** What a folder held that was the lab's before such folders were marked. */
const knownNames: ReadonlySet<string> = new Set(
  `alertmanager-templates apt hostkeys id_ed25519 id_ed25519.pub images known_hosts labs locks mirror mirror-draft`.split(
    ' ',
  ),
)

/** Throws InputError if the labs' folder holds something that is not the lab's. */
export const checkRoot = (): void => {
  if (isClaimed() || !existsSync(labRoot())) return
  const foreign = readdirSync(labRoot()).filter((name) => !(madeBefore() && knownNames.has(name)))
  if (foreign.length === 0) return
  throw new InputError([
    {
      where: labRoot(),
      what: `is no folder of the lab's: it holds ${foreign.slice(0, 3).join(', ')}${foreign.length > 3 ? ', …' : ''}`,
      fix: 'Let VESTAL_LAB_DIR name a folder that is empty or not there yet.',
    },
  ])
}

/** Makes the labs' folder the lab's own, for good. Throws InputError as `checkRoot` does. */
export const claimRoot = (): void => {
  checkRoot()
  if (isClaimed()) return
  mkdirSync(labRoot(), { recursive: true })
  writeFileSync(
    mark(),
    'The lab of vestal keeps its machines here, and removes what it made when it needs it no longer.\n',
  )
}

/** Whether the labs' folder is the lab's own. */
export const isClaimed = (): boolean => existsSync(mark())

/** Removes what the lab made, if it is there. Throws an Error for anything that is not below the lab's own folder, or only by way of a link. */
export const removeOwn = (path: string): void => {
  const below = relative(labRoot(), path)
  if (!isClaimed() || below === '' || below.startsWith('..')) throw new Error(`${path} is not the lab's to remove`)
  if (!existsSync(dirname(path))) return
  if (realpathSync(dirname(path)) !== dirname(join(realpathSync(labRoot()), below)))
    throw new Error(`${path} is not the lab's to remove: a link leads there`)
  rmSync(path, { recursive: true, force: true })
}

/** Removes a folder if nothing is left in it. */
export const removeEmpty = (path: string): void => {
  if (existsSync(path) && readdirSync(path).length === 0) rmdirSync(path)
}

/** The login key carries the lab's own comment. */
const madeBefore = (): boolean =>
  existsSync(`${labKey()}.pub`) && readFileSync(`${labKey()}.pub`, 'utf8').trimEnd().endsWith(' vestal-lab')
