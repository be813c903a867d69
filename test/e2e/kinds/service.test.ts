import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { directory } from '../../../lib/kinds/directory.ts'
import { execLine } from '../../../lib/kinds/exec-line.ts'
import { absent, file } from '../../../lib/kinds/file.ts'
import { service } from '../../../lib/kinds/service.ts'
import { unit } from '../../../lib/kinds/unit.ts'
import type { State, Task } from '../../../lib/model.ts'
import { holdsTheLaw, type Machine, stepsOf } from '../../unit/kinds/machine.ts'
import { labMachine } from './lab-machine.ts'

const NAME = 'vestal-kinds'
const UNIT = `${NAME}.service`
const IDLE = 'import signal, time; signal.signal(signal.SIGHUP, lambda *_: None); time.sleep(1e6)'

interface Wish {
  readonly words?: readonly string[]
  readonly code?: string
  readonly rules?: Readonly<Record<string, string>>
  readonly environment?: string
  readonly more?: string
  readonly reloads?: boolean
}
let host: Machine
let python = ''

/** A service as a role would declare it: it loads a folder of rules, and reads an environment file at start. */
const tasks = ({
  words = [],
  code = IDLE,
  rules = { a: '1' },
  environment = '',
  more = '',
  reloads,
}: Wish = {}): readonly Task[] => {
  const command = ['/usr/bin/python3', '-c', code, ...words]
  const folder = directory('/etc/vestal-kinds', { only: [...Object.keys(rules), 'environment'] })
  const read = Object.entries(rules).map(([name, text]) => file(`/etc/vestal-kinds/${name}`, text))
  const fixed = file('/etc/vestal-kinds/environment', environment)
  const text = `[Unit]
Description=A process that stays
[Service]
EnvironmentFile=/etc/vestal-kinds/environment
ExecStart=${execLine(command)}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=100ms
${more}
[Install]
WantedBy=multi-user.target
`
  const from = unit(UNIT, text)
  const options = { command, executable: python, unit: from, loads: [folder, ...read], restartsOn: [fixed], reloads }
  return [folder, ...read, fixed, from, service(NAME, options)]
}

const deploy = (wish?: Wish): void => {
  expect(host.take(stepsOf(host.changes(tasks(wish))))).toEqual({ code: 0, output: '' })
  expect(host.changes(tasks(wish))).toEqual([])
}
const planned = (wish?: Wish): readonly string[] => stepsOf(host.changes(tasks(wish))).map(({ title }) => title)
const process = (): string => host.sh(`systemctl show -P MainPID ${UNIT}`).output
const state = (): State | undefined => host.read(tasks()).get(`service ${NAME}`)

const clean = (): void => {
  host.sh(`systemctl unmask ${UNIT}; systemctl disable --now ${UNIT}; rm -rf /etc/vestal-kinds /etc/systemd/system/${UNIT}*
rm -rf /run/vestal/services/${UNIT}*; systemctl daemon-reload; systemctl reset-failed`)
}

beforeAll(() => {
  host = labMachine(inject('lab'))
  python = host.sh('readlink -f /usr/bin/python3').output
})
afterAll(clean)

test('a service that is not there is enabled and started, and taking that back leaves nothing', () => {
  clean()
  holdsTheLaw(host, tasks())
})

describe('with nothing changed', () => {
  test('nothing is planned after a reboot of systemd’s notes, either', () => {
    deploy()
    host.sh(`rm -rf /run/vestal/services; systemctl restart ${UNIT}`)
    expect(planned()).toEqual([])
  })

  test('nothing is planned after a crash that systemd has mended', () => {
    deploy()
    const before = process()
    host.sh(
      `systemctl kill -s KILL ${UNIT}; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.2; systemctl is-active -q ${UNIT} && break; done`,
    )
    expect(process()).not.toBe(before)
    expect(planned()).toEqual([])
  })
})

describe('a change made here', () => {
  test('of what it loads is a reload, and the process stays', () => {
    deploy()
    const before = process()
    expect(planned({ rules: { a: '2' } })).toEqual(['write /etc/vestal-kinds/a', `reload ${UNIT}`])
    deploy({ rules: { a: '2' } })
    expect(process()).toBe(before)
  })

  test('of what it loads is a restart where it cannot reload', () => {
    deploy({ reloads: false })
    expect(planned({ reloads: false, rules: { a: '2' } })).toEqual(['write /etc/vestal-kinds/a', `restart ${UNIT}`])
  })

  test('of what it loads, fewer files, is a reload', () => {
    deploy({ rules: { a: '1', b: '1' } })
    expect(planned({ rules: { a: '1' } })).toEqual(['clear /etc/vestal-kinds of other files', `reload ${UNIT}`])
    deploy({ rules: { a: '1' } })
  })

  test('of its arguments is a restart that interrupts', () => {
    deploy()
    const before = process()
    const steps = stepsOf(host.changes(tasks({ words: ['--more'] })))
    expect(steps.filter(({ interrupts }) => interrupts).map(({ title }) => title)).toEqual([`restart ${UNIT}`])
    deploy({ words: ['--more'] })
    expect(process()).not.toBe(before)
  })

  test('of its unit alone is a restart', () => {
    deploy()
    expect(planned({ more: 'Nice=1' })).toContain(`restart ${UNIT}`)
    deploy({ more: 'Nice=1' })
  })

  test('of what it reads at start only is a restart', () => {
    deploy()
    expect(planned({ environment: 'A=1\n' })).toEqual(['write /etc/vestal-kinds/environment', `restart ${UNIT}`])
    deploy({ environment: 'A=1\n' })
  })

  test('that is taken back brings the old process’s state back', () => {
    deploy()
    const tasked = tasks({ words: ['--more'], rules: { a: '2' } })
    holdsTheLaw(host, tasked)
  })

  test('that was cut off before the restart is found by the next run', () => {
    deploy()
    const steps = stepsOf(host.changes(tasks({ more: 'Nice=1', environment: 'A=1\n' })))
    host.take(steps.filter(({ title }) => !title.startsWith('restart')))
    expect(planned({ more: 'Nice=1', environment: 'A=1\n' })).toEqual([`restart ${UNIT}`])
  })

  test('that was cut off before the reload is found by the next run', () => {
    deploy()
    const steps = stepsOf(host.changes(tasks({ rules: { a: '2' } })))
    host.take(steps.slice(0, 1))
    expect(planned({ rules: { a: '2' } })).toEqual([`reload ${UNIT}`])
  })

  test('that was cut off between taking back and restarting is found by the next run', () => {
    deploy()
    const steps = stepsOf(host.changes(tasks({ words: ['--more'] })))
    host.take(steps)
    host.undo(steps.map(({ restore: _, ...step }) => step))
    expect(planned()).toEqual([`restart ${UNIT}`])
    deploy()
  })
})

describe('a change made by hand', () => {
  test.each([
    ['the service stopped', `systemctl stop ${UNIT}`, [`start ${UNIT}`]],
    ['the service disabled', `systemctl disable -q ${UNIT}`, [`enable ${UNIT}`]],
    [
      'the unit masked',
      `rm /etc/systemd/system/${UNIT}; systemctl mask -q ${UNIT}`,
      [`write /etc/systemd/system/${UNIT}`, `let systemd read ${UNIT}`, `unmask ${UNIT}`, `enable ${UNIT}`],
    ],
    ['a loaded file edited', 'echo x >/etc/vestal-kinds/a', ['write /etc/vestal-kinds/a', `reload ${UNIT}`]],
    ['a file’s mode altered', 'chmod 600 /etc/vestal-kinds/a', ['set mode and owner of /etc/vestal-kinds/a']],
    [
      'the unit edited',
      `sed -i s/stays/remains/ /etc/systemd/system/${UNIT}`,
      [`write /etc/systemd/system/${UNIT}`, `let systemd read ${UNIT}`],
    ],
    [
      'the unit edited and started so',
      `sed -i s/stays/remains/ /etc/systemd/system/${UNIT}; systemctl daemon-reload; systemctl restart ${UNIT}`,
      [`write /etc/systemd/system/${UNIT}`, `let systemd read ${UNIT}`, `restart ${UNIT}`],
    ],
    [
      'a file edited and loaded by a signal',
      `echo x >/etc/vestal-kinds/a; systemctl kill -s HUP --kill-who=main ${UNIT}`,
      ['write /etc/vestal-kinds/a', `reload ${UNIT}`],
    ],
    [
      'a surplus file laid down',
      'touch /etc/vestal-kinds/z',
      ['clear /etc/vestal-kinds of other files', `reload ${UNIT}`],
    ],
  ] as const)('%s is found and mended, touching only that', (_, byHand, titles) => {
    deploy()
    expect(host.sh(byHand).code).toBe(0)
    expect(planned()).toEqual(titles)
    deploy()
  })

  test('a binary replaced under the running process is a restart', () => {
    deploy()
    const copy = '/opt/vestal-kinds-python'
    host.sh(`cp ${python} ${copy}; cp ${copy} ${copy}.new`)
    const command = [copy, '-c', IDLE]
    const own = unit(UNIT, `[Service]\nExecStart=${execLine(command)}\n[Install]\nWantedBy=multi-user.target\n`)
    const wanted = [own, service(NAME, { command, executable: copy, unit: own })]
    host.take(stepsOf(host.changes(wanted)))
    expect(host.changes(wanted)).toEqual([])
    host.sh(`mv ${copy}.new ${copy}`)
    const [change] = host.changes(wanted)
    expect(change?.from?.executable).toBe(`${copy} (deleted)`)
    expect(stepsOf(change ? [change] : []).map(({ title }) => title)).toEqual([`restart ${UNIT}`])
    host.sh(`rm ${copy}`)
  })
})

describe('a process that does not stay up', () => {
  const dies = { code: 'raise SystemExit("no room for me")' }

  test('on its first start is stopped again, and its last words are shown', () => {
    clean()
    const before = host.read(tasks(dies))
    const steps = stepsOf(host.changes(tasks(dies)))
    const ran = host.take(steps)
    expect(ran.code).toBe(1)
    expect(ran.output).toMatch(/^vestal-kinds\.service does not stay up; its last words:\n.*no room for me/s)
    expect(host.sh(`systemctl is-active ${UNIT}`).output).toBe('inactive')
    expect(host.undo(steps.slice(0, -1)).code).toBe(0)
    expect(host.read(tasks(dies))).toEqual(before)
  })

  test('after a restart is replaced by the one before', () => {
    deploy()
    const steps = stepsOf(host.changes(tasks(dies)))
    expect(host.take(steps).code).toBe(1)
    expect(host.undo(steps)).toEqual({ code: 0, output: '' })
    expect(host.changes(tasks())).toEqual([])
  })

  test('is called crash-looping', () => {
    deploy()
    host.sh(`sed -i -e 's/^RestartSec.*/RestartSec=1h/' -e 's/^ExecStart=.*/ExecStart=false/' /etc/systemd/system/${UNIT}
systemctl daemon-reload; systemctl restart ${UNIT}; sleep 0.3`)
    expect(state()).toMatchObject({ active: 'crash-looping' })
    expect(planned()).toContain(`restart ${UNIT}`)
    deploy()
  })
})

test('a unit that systemd cannot read is taken back', () => {
  deploy()
  const broken = unit(UNIT, '[Service]\nType=simple\n')
  const steps = stepsOf(host.changes([broken]))
  const ran = host.take(steps)
  expect(ran.code).toBe(1)
  expect(ran.output).toContain('bad-setting')
  expect(host.undo(steps)).toEqual({ code: 0, output: '' })
  expect(host.changes(tasks())).toEqual([])
})

test('a flag that the binary does not know is refused before the unit is touched', () => {
  deploy()
  const wrong = unit(UNIT, '[Service]\n', {
    flagsOf: { binary: '/usr/bin/python3', flags: ['--no-such-flag=1', '-c'] },
  })
  const ran = host.take(stepsOf(host.changes([wrong])))
  expect(ran).toEqual({ code: 1, output: '/usr/bin/python3 does not know --no-such-flag' })
  expect(host.changes(tasks())).toEqual([])
})

test('a service that must not run is stopped and disabled', () => {
  deploy()
  const wanted = tasks().map((task) =>
    task.kind.name === 'service'
      ? service(NAME, { command: [], unit: unit(UNIT, ''), running: false, enabled: false })
      : task,
  )
  holdsTheLaw(host, wanted)
})

test('a unit file that must be gone is moved away', () => {
  deploy()
  const wanted = [absent('/etc/vestal-kinds/a')]
  holdsTheLaw(host, wanted)
})
