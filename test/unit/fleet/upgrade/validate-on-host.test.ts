import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newVersionsAccept } from '../../../../fleet/upgrade/validate-on-host.ts'
import type { Connection, Role } from '../../../../lib/model.ts'
import { thanosSidecar } from '../../../../roles/thanos-sidecar/role.ts'
import { fleet, hostsFile } from '../../roles/fleet.ts'

/** As thanos does: each subcommand has flags of its own, and without one there are few. */
const HELP = `#!/bin/sh
if [ "$1" = sidecar ]; then
  echo '--[no-]version --log.level=info --http-address=a --grpc-address=a --http-grace-period=2m --grpc-grace-period=2m --prometheus.url=u'
  echo '--prometheus.http-client-file=f --prometheus.get_config_interval=30s --prometheus.get_config_timeout=30s'
else
  echo '--[no-]version --log.level=info'
fi
`

test('flags are looked for in the help of the subcommand that runs', async () => {
  using made = await fleet({
    'hosts.yml': hostsFile(
      { prometheus: { p: { ansible_host: '10.0.0.1' } }, thanos_sidecar: { p: {} } },
      { prometheus: { version: '3.5.3' }, thanos_sidecar: { version: '0.42.4' } },
    ),
  })
  const folder = mkdtempSync(join(tmpdir(), 'vestal-thanos-'))
  try {
    const binary = join(folder, 'thanos')
    writeFileSync(binary, HELP)
    chmodSync(binary, 0o755)
    const exec = async (script: string) => ({
      code: 0,
      stdout: execFileSync('sh', ['-s'], {
        input: script.replaceAll('/opt/vestal/thanos/0.42.4/thanos', binary),
      }),
      stderr: '',
    })
    const host = made.host('p')
    const scope = { hosts: [host], batch: [host], inventory: made.inventory }
    const [gate] = newVersionsAccept([thanosSidecar as Role])(scope)
    expect(await gate?.ask(async () => ({ exec }) as unknown as Connection)).toEqual({
      pass: true,
      detail: '1 checked',
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
