/** Puts beside the compiled modules what they read: templates, and the shipped rules; and sees that no module still asks for a source. */
import { cpSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

for (const path of [...globSync('roles/*/templates', { cwd: root }), ...globSync('roles/*/files', { cwd: root })])
  cpSync(join(root, path), join(root, 'dist', path), { recursive: true })

const astray = globSync('dist/**/*.js', { cwd: root }).filter((path) =>
  /\b(?:from|import\()\s*['"]\.[^'"]*\.ts['"]/.test(readFileSync(join(root, path), 'utf8')),
)
if (astray.length > 0) throw new Error(`these modules import sources, as the compiler left them: ${astray.join(', ')}`)
