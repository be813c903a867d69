/**
 * A fleet in containers, as a compose file has them: configuration, rules and data mounted from the host, the host's own network, programs that run as nobody. A real
 * engine runs them: Debian's podman.
 */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../../lib/connection/connect.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { sharedFolder } from '../../../lib/lab/places.ts'
import { debianPackages } from '../../debian-packages.ts'
import { ADDRESSES, type Member } from '../deploy/fleet.ts'
import { testLab } from '../lab-setup.ts'
import { binariesTo } from '../roles/takeover-machine.ts'
import { onHost, resetHost, vestal } from '../vestal.ts'
import {
  adopt,
  clearMachines,
  explained,
  hostsOnly,
  newFolder,
  samplesOf,
  silenceKept,
  silencesOn,
  until,
} from './fleet.ts'

const ALERTMANAGERS = ['am-1', 'am-2'] as const satisfies readonly Member[]
const MEMBERS = ['prom-1', ...ALERTMANAGERS] as const satisfies readonly Member[]
const given = hostsOnly(MEMBERS)
const out = newFolder()

/** The engine, in a lab's machine, which is a container itself; and an image of one program, whose libraries are the host's. */
const engine = (program: string): string => `set -e
echo 'deb [trusted=yes] file:/srv/shared/adopt-podman ./' >/etc/apt/sources.list
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends podman crun catatonit >/dev/null </dev/null
install -d /etc/containers
printf '[containers]\\nkeyring=false\\npids_limit=0\\nseccomp_profile="unconfined"\\n[engine]\\ncgroup_manager="cgroupfs"\\nevents_logger="file"\\nruntime="crun"\\n' >/etc/containers/containers.conf
printf '[storage]\\ndriver="vfs"\\nrunroot="/run/containers/storage"\\ngraphroot="/var/lib/containers/storage"\\n' >/etc/containers/storage.conf
image=/srv/image
install -d $image/bin $image/etc $image/usr $image/proc $image/sys $image/dev $image/run $image/tmp
ln -sfn usr/lib $image/lib
ln -sfn usr/lib64 $image/lib64
cp /etc/passwd /etc/group $image/etc/
mv /usr/local/bin/${program} $image/bin/
rm -f /usr/local/bin/promtool /usr/local/bin/amtool
`
/** Limits that a lab's machine, a container itself, may set. */
const LIMITS = ['memlock=65536:65536', 'nofile=4096:4096', 'nproc=4096:4096'].map((one) => `--ulimit ${one}`).join(' ')
/** As a compose file has it started. The engine can make no control group in a lab's machine: it gets the one that it would make. */
const run = (program: string, { mounts, flags }: { mounts: readonly string[]; flags: readonly string[] }): string => {
  const volumes = ['/usr:/usr:ro', ...mounts].map((one) => `--volume ${one}`).join(' ')
  return `id=$(podman create --name mon_${program}_1 --network host --cgroups=disabled ${LIMITS} --user nobody --workdir / ${volumes} --rootfs /srv/image /bin/${program} ${flags.join(' ')})
systemd-run --quiet --scope --unit="libpod-$id.scope" podman start "$id" >/dev/null
`
}
const nodeExporter = `
getent passwd nodes >/dev/null || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin nodes
printf '[Service]\\nUser=nodes\\nExecStart=/usr/local/bin/node_exporter\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/machine.service
systemctl daemon-reload
systemctl enable --quiet --now machine
`
const prometheus = `${engine('prometheus')}
install -d /srv/mon/prometheus/rules
install -d -o nobody -g nogroup /srv/mon/samples
cat >/srv/mon/prometheus/prometheus.yml <<'END'
global: {scrape_interval: 5s, evaluation_interval: 5s}
rule_files: [rules/*.yml]
alerting:
  alertmanagers: [{static_configs: [{targets: [${ALERTMANAGERS.map((name) => `'${ADDRESSES[name]}:9093'`).join(', ')}]}]}]
scrape_configs:
- {job_name: self, static_configs: [{targets: ['localhost:9090']}]}
- {job_name: machines, basic_auth: {username: x, password_file: /etc/prometheus/secret}, static_configs: [{targets: [${MEMBERS.map((name) => `'${ADDRESSES[name]}:9100'`).join(', ')}]}]}
END
printf 'lily-and-%s' rose >/srv/mon/prometheus/secret
printf 'groups: [{name: x, rules: [{alert: Watchdog, expr: vector(1)}]}]\\n' >/srv/mon/prometheus/rules/x.yml
${run('prometheus', {
  mounts: ['/srv/mon/prometheus:/etc/prometheus:ro', '/srv/mon/samples:/prometheus'],
  flags: [
    '--config.file=/etc/prometheus/prometheus.yml',
    '--storage.tsdb.path=/prometheus',
    '--storage.tsdb.retention.time=20d',
    '--web.enable-lifecycle',
  ],
})}${nodeExporter}`

const alertmanagerOn = (name: Member): string => `${engine('alertmanager')}
install -d /srv/mon
install -d -o nobody -g nogroup /srv/mon/silences
printf 'route: {receiver: nobody, group_interval: 1m}\\nreceivers: [{name: nobody}]\\n' >/srv/mon/alertmanager.yml
${run('alertmanager', {
  mounts: ['/srv/mon/alertmanager.yml:/etc/alertmanager/config.yml:ro', '/srv/mon/silences:/alertmanager'],
  flags: [
    ...['--config.file=/etc/alertmanager/config.yml', '--storage.path=/alertmanager'],
    ...[
      `--cluster.advertise-address=${ADDRESSES[name]}:9094`,
      ...ALERTMANAGERS.map((one) => `--cluster.peer=${ADDRESSES[one]}:9094`),
    ],
  ],
})}${nodeExporter}`

const CLEAN = `if command -v podman >/dev/null; then podman rm --all --force >/dev/null 2>&1; podman system reset --force >/dev/null 2>&1; fi
systemctl disable --now --quiet machine 2>/dev/null
export DEBIAN_FRONTEND=noninteractive
apt-get -qq purge -y podman crun catatonit conmon >/dev/null 2>&1 </dev/null
apt-get -qq autoremove --purge -y >/dev/null 2>&1 </dev/null
rm -rf /srv/mon /srv/image /etc/containers /etc/systemd/system/machine.service
if getent passwd nodes >/dev/null; then userdel nodes; fi
if getent group nodes >/dev/null; then groupdel nodes; fi
systemctl daemon-reload; exit 0`

let silence = ''
beforeAll(async () => {
  cpSync(debianPackages('adopt-podman'), join(sharedFolder(testLab), 'adopt-podman'), { recursive: true })
  const { hosts } = await loadInventory([given], [])
  await Promise.all(
    hosts.map(async (host) => {
      await onHost(host.address, 'sh -s', CLEAN)
      await resetHost(host.address)
      await using connection = await connect(host)
      const name = host.name as Member
      await binariesTo(connection, [name === 'prom-1' ? 'prometheus' : 'alertmanager', 'node_exporter'])
      await onHost(host.address, 'sh -s', name === 'prom-1' ? prometheus : alertmanagerOn(name))
    }),
  )
  silence = await silenceKept(ALERTMANAGERS)
  await until(
    () => samplesOf('prom-1', 'up{job="self"}'),
    (count) => count > 2,
  )
})

afterAll(() => clearMachines(MEMBERS, CLEAN))

const stops: string[] = []
test('adopt finds what is mounted from the host, and who is to stop the containers', async () => {
  const said = await adopt(given, out, MEMBERS)
  expect(said.mistakes).toEqual([])
  expect(said.hosts['prom-1']).toEqual([
    { name: 'prometheus', version: '2.42.0', unit: expect.stringMatching(/^podman [0-9a-f]{12}$/) },
    { name: 'node_exporter', version: '1.5.0', unit: 'machine.service' },
  ])
  for (const name of MEMBERS) {
    const [told] = said.notes.filter(({ host, what }) => host === name && what.includes('it is for you to stop'))
    expect(told?.fix).toMatch(/podman rm -f [0-9a-f]{12}/)
    stops.push(/podman rm -f [0-9a-f]{12}/.exec(told?.fix ?? '')?.[0] ?? 'false')
  }
  const { stdout } = await vestal(['inventory', '-i', out, '--json'])
  const vars = JSON.parse(stdout)._meta.hostvars
  expect(vars['prom-1'].prometheus).toMatchObject({
    storage_dir: '/srv/mon/samples',
    retention: { time: '20d' },
    extra_flags: { 'web.enable-lifecycle': true },
    scrape_configs: [
      { job_name: 'self' },
      { basic_auth: { password: { $file: expect.stringContaining('secrets/') } } },
    ],
  })
  expect(vars['am-1'].alertmanager).toMatchObject({ data_dir: '/srv/mon/silences' })
})

test('while the containers run, their ports are found taken; the plan explains the rest', async () => {
  const { stdout } = await vestal(['check', '-i', out, '--json'])
  const { findings } = JSON.parse(stdout) as { findings: readonly { id: string; hosts: readonly string[] }[] }
  const taken = findings.filter(({ id }) => id === 'port-taken').flatMap(({ hosts }) => hosts)
  expect([...new Set(taken)].sort()).toEqual([...MEMBERS].sort())
  await explained(out)
})

test('host by host, the operator stops one and the deploy goes on with its silences and samples', async () => {
  for (const name of [...ALERTMANAGERS, 'prom-1'] as const) {
    await onHost(ADDRESSES[name], `${stops[MEMBERS.indexOf(name)]} >/dev/null`)
    const { code, stdout, stderr } = await vestal(['deploy', '-i', out, '--limit', name])
    expect({ name, code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({ name, code: 0, stderr: '', stdout: '' })
  }
  for (const name of ALERTMANAGERS)
    await until(
      () => silencesOn(name),
      (found) => isDeepStrictEqual(found, [silence]),
    )
  await until(
    () => samplesOf('prom-1', 'up{job="self",instance="localhost:9090"}'),
    (count) => count > 5,
  )
  expect(await onHost(ADDRESSES['prom-1'], 'find /srv/mon/samples ! -user prometheus | head -n 3')).toBe('')
  expect(await vestal(['plan', '-i', out, '--exit-code'])).toMatchObject({ code: 0 })
})
