import { readFileSync } from 'node:fs'

/** A file of the operator's is there, or should be, and cannot be read. */
export class FileError extends Error {
  override readonly name = 'FileError'
}

/** Returns a file's text, '' where there is no such file unless it must be there. Throws FileError. */
export const textOf = (file: string, { required = false } = {}): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && !required) return ''
    throw new FileError(`${file} cannot be read: ${code === 'ENOENT' ? 'it is not there' : message}`, { cause: error })
  }
}
