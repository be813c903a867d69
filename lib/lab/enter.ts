/** How a command gets into a lab's network. Read by every vestal command, so it imports next to nothing. */
import { statfsSync, statSync } from 'node:fs'
import { InputError } from '../errors.ts'
import { checkOwner } from './owner.ts'
import { controllerNamespace, namespaceFile } from './places.ts'

/** The file system that namespaces are files of (NSFS_MAGIC in linux/magic.h). */
const nsfs = 0x6e736673

/**
 * Returns the words to put in front of a command so that it runs inside the lab's network, or null if this process is in it already.
 * Throws InputError if that lab is not up, or kept in another folder.
 */
export const enterLab = (lab = 'default'): readonly string[] | null => {
  const namespace = controllerNamespace(lab)
  if (!namespaceExists(namespace)) {
    const flag = lab === 'default' ? '' : ` --name ${lab}`
    throw new InputError([
      { where: `lab '${lab}'`, what: 'is not up', fix: `Bring it up with 'vestal lab up${flag}'.` },
    ])
  }
  checkOwner(lab)
  return isInside(namespace) ? null : ['ip', 'netns', 'exec', namespace]
}

/** Whether the named network namespace lives. A file left by a reboot is not one. */
export const namespaceExists = (namespace: string): boolean => {
  try {
    return statfsSync(namespaceFile(namespace)).type === nsfs
  } catch {
    return false
  }
}

const isInside = (namespace: string): boolean => {
  const own = statSync('/proc/self/ns/net')
  const its = statSync(namespaceFile(namespace))
  return own.ino === its.ino && own.dev === its.dev
}
