import { spawnSync } from 'node:child_process'
import { openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Lab } from '../../../lib/lab/lab.ts'
import { type Step, uploadPath } from '../../../lib/model.ts'
import { type Machine, machine, type Run } from '../../unit/kinds/machine.ts'

/** The lab host that kinds are tried on, its last one: it has a systemd of its own. */
export const labMachine = (lab: Lab): Machine => {
  const [program = '', ...words] = sshTo(lab)
  const sh: Run = (script) => {
    const ran = spawnSync(program, [...words, 'LC_ALL=C VESTAL_RUN=run-1 exec sh -s'], {
      input: script,
      maxBuffer: 64 * 1024 * 1024,
    })
    return { code: ran.status, stdout: ran.stdout, output: `${ran.stdout}${ran.stderr}`.trim() }
  }
  return machine(sh)
}

/** Puts what steps upload where they look for it. */
export const sendUploads = async (lab: Lab, steps: readonly Step[]): Promise<void> => {
  const [program = '', ...words] = sshTo(lab)
  for (const { upload } of steps) {
    if (!upload) continue
    const { path } = await upload.ready()
    const receive = `mkdir -p /var/lib/vestal/uploads && cat >${uploadPath(upload.sha256)}`
    spawnSync(program, [...words, receive], { stdio: [openSync(path, 'r'), 'inherit', 'inherit'] })
  }
}

/** One connection for all tests of a file: what is tried here is not the way there. */
const sshTo = (lab: Lab): readonly string[] => {
  const host = lab.hosts.at(-1)
  if (!host) throw new Error('the lab has no host')
  const shared = ['-oControlMaster=auto', `-oControlPath=${join(tmpdir(), 'vestal-kinds-%C')}`, '-oControlPersist=20']
  const known = ['-i', lab.key, `-oUserKnownHostsFile=${lab.knownHosts}`, '-oLogLevel=ERROR']
  return ['ssh', '-F', 'none', ...shared, ...known, `root@${host.address}`]
}
