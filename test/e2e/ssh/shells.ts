/** Login shells that Debian's base has not, on a lab host: fish and tcsh out of the archive, their versions pinned and their hashes checked by apt. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { labExec } from '../../../lib/lab/ssh.ts'
import { testLab } from '../lab-setup.ts'

const PACKAGES = ['fish=3.6.0-3.1+deb12u1', 'fish-common=3.6.0-3.1+deb12u1', 'tcsh=6.24.07-1', 'libpcre2-32-0']

/** Unpacks them on a host. They are fetched outside the lab's network, which leads to no archive and resolves no name. */
export const bringShells = async (address: string, outside: string): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'vestal-shells-'))
  try {
    // Whoever enters a mount namespace is at its root.
    const fetch = ['sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', folder, 'apt-get', '-oAPT::Sandbox::User=root']
    execFileSync('nsenter', [`--target=${outside}`, '--net', '--mount', ...fetch, 'download', '-qq', ...PACKAGES])
    const fetched = readdirSync(folder)
    if (fetched.length < PACKAGES.length) throw new Error(`of ${PACKAGES.join(', ')} only ${fetched.join(', ')} came`)
    for (const name of fetched) {
      const input = execFileSync('dpkg-deb', ['--fsys-tarfile', join(folder, name)], {
        maxBuffer: 100 * 1024 * 1024,
      }).toString('base64')
      const done = await labExec(address, 'base64 -d | tar -x -C / --keep-directory-symlink', { lab: testLab, input })
      if (done.code !== 0) throw new Error(`${name}: ${done.stderr}`)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
