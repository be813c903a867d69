import { renameSync, writeFileSync } from 'node:fs'

/** Writes a file of this machine whole or not at all, by one rename from `PATH.new`; `mode` is that of the new one. Throws what writing throws. */
export const replaceFile = (path: string, text: string, mode = 0o666): void => {
  writeFileSync(`${path}.new`, text, { mode })
  renameSync(`${path}.new`, path)
}
