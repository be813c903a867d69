import { posix } from 'node:path'
import { InputError } from '../errors.ts'

/** An absolute path without `.`, `..`, double or trailing slashes. Throws InputError on a relative one or one with a NUL. */
export const absolutePath = (path: string): string => {
  if (!path.startsWith('/')) throw bad('path', path, 'is not absolute', 'Start it with “/”.')
  if (path.includes('\0')) throw bad('path', path, 'holds a NUL character', 'No file system allows one.')
  const plain = posix.normalize(path)
  if (plain === '/') throw bad('path', path, 'is the root of the file system', 'Name what is to be managed in it.')
  return plain.replace(/\/$/, '')
}

/** A mode as `stat` says it, four octal digits. Throws InputError on anything else. */
export const octalMode = (mode: string): string => {
  if (!/^[0-7]{3,4}$/.test(mode)) throw bad('mode', mode, 'is not three or four octal digits', 'For example “0644”.')
  return mode.padStart(4, '0')
}

/** A user's or group's name. Throws InputError on what useradd(8) would not take either. */
export const accountName = (name: string): string => {
  if (!/^[A-Za-z_][\w.-]{0,30}\$?$/.test(name)) {
    throw bad('user or group', name, 'is not a name that a system takes', 'Use letters, digits, “_”, “-” and “.”.')
  }
  return name
}

const bad = (what: string, value: string, problem: string, fix: string): InputError =>
  new InputError([{ where: `${what} ${JSON.stringify(value)}`, what: problem, fix }])
