/** Which folder a lab that is up is kept in. Its namespaces and control groups are the box's, and called by the lab's name alone. */
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { InputError } from '../errors.ts'
import { boxFolder, checkLabName, labRoot } from './places.ts'

/** Notes that the lab of this name is the one of our folder. Throws InputError if it is another folder's. */
export const takeName = (lab: string, box = boxFolder): void => {
  checkOwner(lab, box)
  mkdirSync(dirname(noteOf(lab, box)), { recursive: true })
  writeFileSync(noteOf(lab, box), realpathSync(labRoot()))
}

/** Gives the name back. */
export const releaseName = (lab: string, box = boxFolder): void => rmSync(noteOf(lab, box), { force: true })

/** Throws InputError if the lab of this name is up and kept in another folder than ours. */
export const checkOwner = (lab: string, box = boxFolder): void => {
  const owner = ownerOf(lab, box)
  if (owner === undefined || owner === ownRoot()) return
  throw new InputError([
    {
      where: `lab '${lab}'`,
      what: `is up, and kept in ${owner}; here labs are kept in ${labRoot()}`,
      fix: `Set VESTAL_LAB_DIR=${owner} for that one, or choose another name with --name.`,
    },
  ])
}

/** The folder that the lab which is up under this name is kept in; undefined if none is, or an older version brought it up. */
export const ownerOf = (lab: string, box = boxFolder): string | undefined => {
  try {
    return readFileSync(noteOf(lab, box), 'utf8')
  } catch {
    return undefined
  }
}

/** Whether the lab of this name, up or not, is not another folder's. */
export const isOurs = (lab: string, box = boxFolder): boolean => [undefined, ownRoot()].includes(ownerOf(lab, box))

const noteOf = (lab: string, box: string): string => join(box, 'owners', checkLabName(lab))

/** Links resolved, as one folder may have many names. */
const ownRoot = (): string => {
  try {
    return realpathSync(labRoot())
  } catch {
    return labRoot()
  }
}
