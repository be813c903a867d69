/** Work and data of others go over to a service of ours, and back; what systemd is asked is written down, as there is none here. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { handedOver, handoverKind } from '../../../lib/kinds/handover.ts'
import { service } from '../../../lib/kinds/service.ts'
import { SAME_FLAGS } from '../../../lib/kinds/service-state.ts'
import { unit } from '../../../lib/kinds/unit.ts'
import type { Change, State, Task } from '../../../lib/model.ts'
import { type Sandbox, sandbox } from './sandbox.ts'

/** `old` runs and starts at boot from an odd place; `off` does neither. */
const SYSTEMCTL = `systemctl() {
printf '%s\\n' "$*" >>/run/asked
case "$*" in
  *ActiveState*old.service) echo active ;;
  *ActiveState*new.service) [ -f /run/new ] && echo active ;;
  *ActiveState*) echo inactive ;;
  *UnitFileState*old.service) echo enabled ;;
  *UnitFileState*) echo disabled ;;
  *FragmentPath*old.service) echo /srv/units/old.service ;;
  *MainPID*) cat /run/pid ;;
  *InvocationID*) echo abc ;;
  *StateChangeTimestamp*) echo then ;;
  'enable --quiet -- old.service') return 1 ;;
esac
}
journalctl() { :; }
`
const asked = (box: Sandbox): readonly string[] => {
  const all = readFileSync(box.at('run/asked'), 'utf8').trim().split('\n')
  return all.filter((line) => !line.startsWith('show'))
}
const took = (box: Sandbox, script: string) => box.sh(`${SYSTEMCTL}( set -eu\n${script}\n) || echo FAILED`).output
const converge = (task: Task, from: State, fields: readonly string[]) =>
  task.kind.converge({ task, from, to: task.desired, fields } as Change)

test.each(['dash', 'bash'] as const)(
  'old units stop and don’t start again, their data changes hands; and all of it back, under %s',
  (shell) => {
    using box = sandbox(shell)
    box.sh(
      ': >/run/new && mkdir -p /srv/data/wal /srv/units && echo x >/srv/data/wal/1 && echo secret >/srv/outside && ln -s /srv/outside /srv/data/link && chown -R 1234:1234 /srv/data/wal /srv/data && chown -h 1234 /srv/data/link',
    )
    const task = handedOver('new.service', {
      units: ['old.service', 'off.service', 'new.service'],
      folder: '/srv/data',
      account: 'daemon',
    })
    const [step] = converge(task, { others: 'old.service runs', owner: '1234:1234' }, ['others', 'owner'])
    expect(step?.title).toBe('stop and disable old.service, off.service, hand /srv/data over to daemon')
    expect(took(box, step?.run ?? '')).toBe('')
    expect(asked(box)).toEqual([
      ...['disable --quiet -- old.service', 'disable --quiet -- off.service'],
      ...['stop -- old.service', 'reset-failed -- old.service', 'stop -- new.service', 'reset-failed -- new.service'],
    ])
    const owners = () =>
      box.sh('stat -c "%U %n" /srv/data /srv/data/wal/1 /srv/data/link /srv/outside').output.split('\n')
    expect(owners()).toEqual([
      'daemon /srv/data',
      'daemon /srv/data/wal/1',
      'daemon /srv/data/link',
      'root /srv/outside',
    ])
    box.sh(': >/run/asked')
    expect(took(box, step?.restore ?? '')).toBe('')
    expect(asked(box)).toEqual([
      ...['enable --quiet -- old.service', 'enable --quiet -- /srv/units/old.service'],
      ...['start -- old.service', 'start -- new.service'],
    ])
    expect(
      owners()
        .slice(0, 3)
        .map((line) => line.split(' ')[0]),
    ).toEqual(['UNKNOWN', 'UNKNOWN', 'UNKNOWN'])
  },
)

test('a service of ours that is not there yet is not stopped; what was stopped serves again where the rest of it fails', () => {
  using box = sandbox()
  box.sh('mkdir -p /srv/data /srv/units && : >/srv/units/old.service && chown -R 1234:1234 /srv/data')
  const task = handedOver('new.service', { units: ['old.service'], folder: '/srv/data', account: 'not-there' })
  const [step] = converge(task, { others: 'old.service runs', owner: '1234:1234' }, ['others', 'owner'])
  expect(took(box, step?.run ?? '')).toContain('FAILED')
  expect(asked(box)).toEqual(['disable --quiet -- old.service', 'stop -- old.service', 'reset-failed -- old.service'])
  box.sh(': >/run/asked')
  expect(took(box, step?.restore ?? '')).toBe('')
  expect(asked(box)).toEqual([
    ...['enable --quiet -- old.service', 'enable --quiet -- /srv/units/old.service', 'start -- old.service'],
  ])
})

test('data that lies in a folder of another account is brought along: plain files, and none that a link leads to', () => {
  using box = sandbox()
  box.sh(`mkdir -p /srv/theirs/am/deep /srv/am && echo s >/srv/theirs/am/silences && echo n >/srv/theirs/am/deep/n
echo secret >/srv/shadow && chmod 0600 /srv/shadow && ln -s /srv/shadow /srv/theirs/am/nflog
chown -R 1234:1234 /srv/theirs && chown daemon:daemon /srv/am`)
  const task = handedOver('new.service', {
    units: ['old.service'],
    folder: '/srv/am',
    from: '/srv/theirs/am',
    account: 'daemon',
  })
  const [step] = converge(task, { others: 'old.service runs', owner: 'ours' }, ['others'])
  expect(step?.title).toBe('stop and disable old.service, bring /srv/theirs/am along')
  expect(took(box, step?.run ?? '')).toBe('')
  expect(box.sh('cd /srv/am && stat -c "%n %U" * && cat silences; ls /run/vestal/handover').output).toBe(
    'silences daemon\ns\nnew.service',
  )
})

test('whose data it is, is seen; what stands in lost+found is nobody’s', () => {
  using box = sandbox()
  box.sh(
    'mkdir -p /srv/a/lost+found /srv/b/deep /srv/c && chown daemon /srv/a /srv/b /srv/c /srv/b/deep && echo x >/srv/b/deep/file',
  )
  const tasks = ['a', 'b', 'c', 'none'].map((name) =>
    handedOver(`${name}.service`, { units: [`${name}.service`], folder: `/srv/${name}`, account: 'daemon' }),
  )
  const { stdout } = box.sh(`systemctl() { :; }\n${handoverKind.probe(tasks)}`)
  const found = handoverKind.parse(stdout, tasks)
  expect([...found.values()].map(({ owner }) => owner)).toEqual(['ours', 'root:root', 'ours', 'ours'])
  const newcomer = [handedOver('d.service', { units: ['d.service'], folder: '/srv/d', account: 'not-there-yet' })]
  const asked = box.sh(`mkdir /srv/d && echo x >/srv/d/file\nsystemctl() { :; }\n${handoverKind.probe(newcomer)}`)
  expect(handoverKind.parse(asked.stdout, newcomer).get('d.service')).toEqual({ others: '', owner: 'root:root' })
})

const prom = service('new', {
  command: ['/bin/prom', '600'],
  executable: '/opt/vestal/p/1/prom',
  unit: unit('new.service', '[Service]\nUser=root\n'),
  defaults: {},
})
/** A process that runs a copy of sleep(1), as others have started it; `like` says whether the release has the same file. */
const running = (box: Sandbox, like: boolean) =>
  box.sh(`mkdir -p /opt/vestal/p/1 /srv/bin /etc/systemd/system
printf '[Service]\\nUser=root\\n' >/etc/systemd/system/new.service
cp /bin/sleep /srv/bin/prom
${like ? 'cp /bin/sleep' : 'cp /bin/cat'} /opt/vestal/p/1/prom
cd /opt/vestal/p/1 && sha256sum prom | { read -r sum name; printf 'binary %s %s\\n' "$sum" "$name" >.vestal-release; }
/srv/bin/prom 600 >/dev/null 2>&1 &
echo $! >/run/pid`)
const ends = (box: Sandbox) => box.sh('kill "$(cat /run/pid)"')

test.each(['dash', 'bash'] as const)(
  'a process that runs the release’s own binary is gone on with, without a restart, under %s',
  (shell) => {
    using box = sandbox(shell)
    running(box, true)
    const [step] = converge(prom, { active: 'running', executable: '/srv/bin/prom', command: SAME_FLAGS }, [
      'executable',
      'command',
      'started',
    ])
    expect(took(box, step?.run ?? '')).toBe('')
    expect(asked(box)).toEqual(['daemon-reload'])
    expect(box.sh("tr '\\0' ' ' </run/vestal/services/new.service.adopted").output).toMatch(/^abc [0-9a-f]{64}/)
    box.sh(': >/run/asked')
    expect(took(box, `${step?.undo}\n${step?.restore}`)).toBe('')
    expect(asked(box)).toEqual(['daemon-reload', 'reload-or-restart -- new.service'])
    ends(box)
  },
)

test('a process that runs another binary is restarted', () => {
  using box = sandbox()
  running(box, false)
  const [step] = converge(prom, { active: 'running', executable: '/srv/bin/prom', command: SAME_FLAGS }, [
    'executable',
    'command',
    'started',
  ])
  took(box, (step?.run ?? '').replaceAll('sleep 0.2', ':'))
  expect(asked(box)).toContain('restart -- new.service')
  ends(box)
})
