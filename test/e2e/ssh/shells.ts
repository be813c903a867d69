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
    execFileSync(
      'nsenter',
      [
        `--target=${outside}`,
        '--net',
        '--mount',
        'apt-get',
        '-oAPT::Sandbox::User=root',
        'download',
        '-qq',
        ...PACKAGES,
      ],
      {
        cwd: folder,
      },
    )
    for (const name of readdirSync(folder)) {
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
