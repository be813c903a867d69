/** Puts beside the compiled modules what they read: templates, and the shipped rules. */
import { cpSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

for (const path of [...globSync('roles/*/templates', { cwd: root }), ...globSync('roles/*/files', { cwd: root })])
  cpSync(join(root, path), join(root, 'dist', path), { recursive: true })
