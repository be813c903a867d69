import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { onHost, resetHost, vestal } from '../vestal.ts'
import { type FleetOptions, fleetOf, inventoryOf } from './fleet.ts'
import { CRASHING, mirrorWith, tarballOf, VERSION } from './mirror.ts'
import { expectUnharmed, lookAt, type State, standing, stateOf, withoutRestarts } from './state.ts'

const fleet = fleetOf(0)
const on = (script: string) => onHost(fleet.monitor.address, 'sh -eu -s', script)
let before: State

beforeAll(() => standing(fleet))
beforeEach(async () => {
  before = await stateOf(fleet)
})

/** Runs a deploy while something is wrong with `monitor`, and puts that right again. */
const deployAmid = async (trouble: { begin: string; end: string }, options: FleetOptions) => {
  await on(trouble.begin)
  try {
    return await vestal(['deploy', '-i', inventoryOf(fleet, options)])
  } finally {
    await on(trouble.end)
  }
}
const otherCluster: FleetOptions = { all: { prometheus: { cluster: 'second' } } }
const otherAlertmanager: FleetOptions = { all: { alertmanager: { version: '0.28.1' } } }
const TAKEN_BACK = 'The changes made before it on this host were taken back; what was in force still is.'

/** A file system of its own for a folder, with the folder's content and so much room beside it. */
const smallDisk = (folder: string, room: string) => ({
  begin: `mkdir -p /run/small
mount -t tmpfs -o mode=0755,size=$(($(du -s -B1 ${folder} | cut -f1) + 64 * 1024 + ${room})) tmpfs /run/small
cp -a ${folder}/. /run/small
if [ ${room} = 0 ]; then cat /dev/zero >/run/small/ballast 2>/dev/null || :; fi
mount --bind /run/small ${folder}`,
  end: `umount ${folder} /run/small`,
})
const readOnly = (folder: string) => ({
  begin: `mount --bind ${folder} ${folder}; mount -o remount,ro,bind ${folder}`,
  end: `umount ${folder}`,
})

describe('a host in trouble keeps what it has: exit code 1', () => {
  afterEach(async () => expectUnharmed(before, await stateOf(fleet)))

  const troubles = [
    {
      trouble: 'no room for a release to be sent',
      ...smallDisk('/var/lib/vestal', '1000000'),
      options: otherAlertmanager,
      says: ['prometheus/alertmanager 0.28.1 linux-amd64 could not be stored', 'No space left on device', 'free space'],
    },
    {
      trouble: 'no room for a release to be unpacked',
      ...smallDisk('/opt/vestal', '1000000'),
      options: otherAlertmanager,
      says: ['failed monitor: release alertmanager 0.28.1: ', 'No space left on device', TAKEN_BACK],
    },
    {
      trouble: 'no room for a configuration',
      ...smallDisk('/etc/prometheus', '0'),
      options: otherCluster,
      says: ['failed monitor: file /etc/prometheus/prometheus.yml: ', 'No space left on device', TAKEN_BACK],
    },
    {
      trouble: 'a read-only /etc',
      ...readOnly('/etc'),
      options: otherCluster,
      says: ['failed monitor: file /etc/prometheus/prometheus.yml: ', 'Read-only file system', TAKEN_BACK],
    },
    {
      trouble: 'a read-only /var/lib/vestal',
      ...readOnly('/var/lib/vestal'),
      options: otherCluster,
      says: ['nothing can be written below /var/lib/vestal; nothing was done', 'Is the disk full or read-only?'],
    },
  ]
  for (const { trouble, begin, end, options, says } of troubles) {
    it(trouble, async () => {
      const { code, stdout } = await deployAmid({ begin, end }, options)
      for (const words of says) expect(stdout).toContain(words)
      expect(code).toBe(1)
    })
  }

  it('another architecture than the inventory says', async () => {
    const releases = mirrorWith(tarballOf(CRASHING), { arch: 'arm64' })
    const arm: FleetOptions = {
      all: { vestal: { releases, arch: 'arm64' }, node_exporter: { version: VERSION } },
    }
    const { code, stdout } = await vestal(['deploy', '-i', inventoryOf(fleet, arm), '--limit', 'node'])
    expect(stdout).toContain('failed node: facts: its architecture is amd64, the inventory says arm64')
    expect(stdout).toContain('Set `vestal: {arch: amd64}` for this host.')
    expect(code).toBe(1)
  })
})

describe('a service that does not run with what is new goes on with what was', () => {
  it('a binary that crashes at its start', async () => {
    const releases = mirrorWith(tarballOf(CRASHING))
    const crashing: FleetOptions = { all: { vestal: { releases } }, node: { node_exporter: { version: VERSION } } }
    const { code, stdout } = await vestal(['deploy', '-i', inventoryOf(fleet, crashing)])
    expect(stdout).toContain(
      'failed node: service node_exporter: node_exporter.service does not stay up; its last words:',
    )
    for (const words of ['out of cheese', TAKEN_BACK]) expect(stdout).toContain(words)
    expect(code).toBe(1)
    expect(withoutRestarts(await stateOf(fleet))).toEqual(withoutRestarts(before))
  })

  it('a port that another process has', async () => {
    const taken = {
      begin: 'systemd-run --quiet --unit=squatter python3 -m http.server 9199',
      end: 'systemctl stop squatter',
    }
    const { code, stdout } = await deployAmid(taken, { all: { alertmanager: { listen: '0.0.0.0:9199' } } })
    expect(stdout).toContain('failed monitor: service alertmanager: alertmanager.service does not stay up')
    for (const words of ['address already in use', TAKEN_BACK]) expect(stdout).toContain(words)
    expect(code).toBe(1)
    expect(withoutRestarts(await stateOf(fleet))).toEqual(withoutRestarts(before))
  })

  it('what only the running process can refuse fails its gate, the old process goes on, and the next deploy mends it', async () => {
    await on('echo unreadable to the service >/root/ca.pem')
    const remote = { url: 'http://127.0.0.1:1/', tls_config: { ca_file: '/root/ca.pem' } }
    const { code, stdout } = await vestal([
      'deploy',
      '-i',
      inventoryOf(fleet, { all: { prometheus: { remote_write: [remote] } } }),
    ])
    expect(stdout).toContain(
      'gate failed monitor: Prometheus has its config in force: it refused its config at the last reload and runs on the one before',
    )
    expect(code).toBe(1)
    expect((await stateOf(fleet)).hosts.monitor?.find((line) => line.startsWith('prometheus '))).toBe(
      before.hosts.monitor?.find((line) => line.startsWith('prometheus ')),
    )
    const mended = await vestal(['deploy', '-i', inventoryOf(fleet)])
    expect(mended, mended.stdout).toMatchObject({ code: 0 })
  })
})

describe('a first deploy that fails', () => {
  it('leaves nothing but what it must', async () => {
    await resetHost(fleet.node.address)
    const bare = await lookAt(fleet.node.address)
    const releases = mirrorWith(tarballOf(CRASHING))
    const crashing: FleetOptions = { all: { vestal: { releases } }, node: { node_exporter: { version: VERSION } } }
    const { code, stdout } = await vestal(['deploy', '-i', inventoryOf(fleet, crashing), '--limit', 'node'])
    expect(stdout).toContain('does not stay up')
    expect(code).toBe(1)
    expect((await lookAt(fleet.node.address)).lines).toEqual(bare.lines)
  })
})
