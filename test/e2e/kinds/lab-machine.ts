import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Lab } from '../../../lib/lab/lab.ts'
import { type Machine, machine, type Run } from '../../unit/kinds/machine.ts'

/** A lab host that kinds are tried on, with a systemd of its own. */
export const labMachine = (lab: Lab, name: string): Machine => {
  const host = lab.hosts.find((one) => one.name === name)
  if (!host) throw new Error(`the lab has no host ${name}`)
  // One connection for all tests of a file: what is tried here is not the way there.
  const shared = ['-oControlMaster=auto', `-oControlPath=${join(tmpdir(), 'vestal-kinds-%C')}`, '-oControlPersist=20']
  const options = [...shared, '-F', 'none', '-i', lab.key, `-oUserKnownHostsFile=${lab.knownHosts}`, '-oLogLevel=ERROR']
  const sh: Run = (script, stdin) => {
    const text = Buffer.from(stdin ?? '').toString('base64')
    const ran = spawnSync('ssh', [...options, `root@${host.address}`, 'LC_ALL=C VESTAL_RUN=run-1 exec sh -s'], {
      input: `{ base64 -d | (\n${script}\n)\n} <<'INPUT'\n${text}\nINPUT\n`,
      maxBuffer: 64 * 1024 * 1024,
    })
    return { code: ran.status, stdout: ran.stdout, output: `${ran.stdout}${ran.stderr}`.trim() }
  }
  return machine(sh)
}
