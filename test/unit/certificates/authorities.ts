/** Authorities and certificates for tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Issued, issueAuthority, issueServer } from '../../../lib/certificates/issue.ts'

export const DAY_MS = 86_400_000

/** A folder of an inventory, and an environment with the password of its vaults. */
export interface Place extends Disposable {
  readonly folder: string
  readonly name: string
  readonly env: NodeJS.ProcessEnv
}
export const place = (password = 'open sesame'): Place => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-authority-'))
  const file = join(folder, '.password')
  writeFileSync(file, `${password}\n`)
  return {
    folder,
    name: 'test',
    env: { HOME: folder, ANSIBLE_VAULT_PASSWORD_FILE: file },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

export const anAuthority = (subject = 'an authority'): Promise<Issued> => issueAuthority({ subject, ms: 365 * DAY_MS })
export const aServer = (authority: Issued, names: readonly string[], ms = 30 * DAY_MS): Promise<Issued> =>
  issueServer(authority, { names, subject: names[0] ?? '', ms })
