/** What a host says is a stranger's: it is bounded, read by one form, and what has another fails that host alone. */
import { expect, test } from 'vitest'
import { adoptFleet } from '../../../../fleet/adopt/adopt.ts'
import { lookAt } from '../../../../fleet/adopt/look.ts'
import { HostError } from '../../../../lib/errors.ts'
import { answerOf, connectionTo, hostOf, type Machine, says } from './machine.ts'

const machine: Machine = {
  name: 'prom-1',
  address: '10.0.0.1',
  processes: [
    {
      unit: 'prometheus.service',
      command: ['/usr/bin/prometheus', '--web.listen-address=:9090'],
      version: says('prometheus', '2.42.0+ds'),
    },
  ],
}
const good = answerOf(machine)

test('a program and its version are what it says itself', async () => {
  const { processes } = await lookAt(connectionTo(machine))
  expect(processes).toEqual([
    {
      pid: 100,
      program: { name: 'prometheus', version: '2.42.0' },
      executable: '/usr/bin/prometheus',
      user: 'prometheus',
      unit: 'prometheus.service',
      container: '',
      folder: '/',
      command: ['/usr/bin/prometheus', '--web.listen-address=:9090'],
      usual: new Map(),
    },
  ])
})

test.each<[string, string | Buffer]>([
  ['nothing', ''],
  ['half of it', good.slice(0, good.length / 2)],
  ['without its end', good.replace('end\n', '')],
  ['another word', good.replace('name ', 'eval ')],
  ['a number that is none', good.replace('process 100', 'process -1')],
  ['a number beyond all', good.replace('process 100', `process ${'9'.repeat(400)}`)],
  ['what is no base64', good.replace(/=\S+/, '=$(reboot)')],
  ['an account with a line in it', good.replace('same prometheus', 'same $(id)')],
  ['bytes', Buffer.from([0, 255, 10, 0, 27, 91, 50, 74, 10])],
  ['one long line', `${'x'.repeat(5_000_000)}\n`],
  ['a mode that is none', good.replace('end\n', 'file L2E= rwx root root 1 +YQ==\nend\n')],
])('an answer that is %s', async (_, answer) => {
  await expect(lookAt(connectionTo(machine, answer))).rejects.toThrow(HostError)
})

test('one host that lies takes nothing from the others', async () => {
  const other = { ...machine, name: 'prom-2', address: '10.0.0.2' }
  const adoption = await adoptFleet([hostOf(machine), hostOf(other)], {
    forks: 2,
    reach: async ({ name }) =>
      connectionTo(name === 'prom-1' ? machine : other, name === 'prom-1' ? 'lies\n' : undefined),
  })
  expect(Object.keys(adoption.unreachable)).toEqual(['prom-1'])
  expect(adoption.hosts.map(({ host }) => host.name)).toEqual(['prom-2'])
})

test.each<[string, Partial<NonNullable<Machine['processes']>[number]>, string]>([
  ['in a container', { cgroup: '0::/system.slice/docker-0123.scope' }, 'runs in a container (docker)'],
  ['of no unit', { cgroup: '0::/user.slice/session-1.scope' }, 'is no service of systemd'],
  ['that says no version', { version: 'Segmentation fault' }, 'doesn’t say by --version what it is'],
  ['in agent mode', { command: ['/usr/bin/prometheus', '--agent'] }, 'is a Prometheus in agent mode'],
  ['that nobody knows', { version: says('odd_exporter', '1.0.0') }, 'is no exporter of the catalogue'],
])('a program %s is left, and told', async (_, change, what) => {
  const [first] = machine.processes ?? []
  const odd = { ...machine, processes: [{ ...(first as NonNullable<typeof first>), ...change }] }
  const { notes, hosts } = await adoptFleet([hostOf(odd)], { forks: 1, reach: async () => connectionTo(odd) })
  expect(hosts).toEqual([])
  expect(notes.map((note) => note.what).join('\n')).toContain(what)
})

test('a script that starts it is named, and so is what ends with its unit', async () => {
  const scripted: Machine = {
    name: 'prom-1',
    address: '10.0.0.1',
    processes: [
      {
        unit: 'prometheus-9090.service',
        command: ['bin/prometheus/prometheus', '--web.listen-address=:9090'],
        version: says('prometheus', '2.42.0'),
        others: ['tee', 'a-monitor', 'tee'],
      },
    ],
    files: {
      '/etc/systemd/system/prometheus-9090.service': '[Service]\nExecStart=/srv/prometheus/scripts/run_prometheus.sh\n',
    },
  }
  const { notes } = await adoptFleet([hostOf(scripted)], { forks: 1, reach: async () => connectionTo(scripted) })
  expect(notes).toContainEqual({
    kind: 'look',
    host: 'prom-1',
    where: '/etc/systemd/system/prometheus-9090.service',
    what: 'starts prometheus by /srv/prometheus/scripts/run_prometheus.sh: the flags of the process are taken over, and nothing else that this does',
  })
  expect(notes).toContainEqual({
    kind: 'look',
    host: 'prom-1',
    where: 'prometheus-9090.service',
    what: 'also runs tee, a-monitor, which end with it when it is taken over',
    fix: 'Give what is still needed a unit of its own before the first deploy.',
  })
})
