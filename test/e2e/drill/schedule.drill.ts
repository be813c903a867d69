/** A machine of the lab as a controller: a timer there holds a drill, keeps its page, and node_exporter shows what it came to. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hostName, labFolder } from '../../../lib/lab/places.ts'
import { clearNotifications, labNotifications } from '../../../lib/lab/receiver.ts'
import { ADDRESSES } from '../deploy/fleet.ts'
import { testLab } from '../lab-setup.ts'
import { onHost, project } from '../vestal.ts'
import { bringUp, drillInventory, takeDown } from './fleet.ts'

const inventory = drillInventory()
const controller = ADDRESSES['node-1']
const HERE = '/srv/shared/vestal'
const KEYS = '/var/lib/vestal-lab'
const program = `cd ${HERE} && PATH=${HERE}/node_modules/.bin:$PATH VESTAL_RUNS=/root/runs node cli/vestal.js drill`
const on = (command: string): Promise<string> => onHost(controller, command)

/** The sources with what they need to run, and an inventory whose machines are no lab's to whoever is among them. */
const bringProgram = async (): Promise<void> => {
  const shared = `${labFolder(testLab)}/shared/vestal`
  const copy = spawn(
    'sh',
    [
      '-c',
      `mkdir -p ${shared} && cp -a --reflink=auto cli lib fleet roles playbooks package.json ${shared}/ && cp -a "$(realpath node_modules)" ${shared}/node_modules && cp -a ${inventory} ${shared}/inventory && sed -i '/^ *lab:/d' ${shared}/inventory/group_vars/all.yml`,
    ],
    { cwd: project, stdio: 'inherit' },
  )
  expect((await once(copy, 'close'))[0]).toBe(0)
  for (const file of ['id_ed25519', 'known_hosts'])
    await onHost(
      controller,
      `mkdir -p ${KEYS} && umask 077 && cat >${KEYS}/${file}`,
      readFileSync(`${KEYS}/${file}`, 'utf8'),
    )
}

beforeAll(async () => {
  await bringUp(inventory)
  await bringProgram()
}, 300_000)
afterAll(async () => {
  await on(`rm -rf ${HERE} ${KEYS} /root/runs`)
  await takeDown()
})

const metrics = async (): Promise<string> => {
  const page = await (await fetch(`http://${controller}:9100/metrics`)).text()
  return page
    .split('\n')
    .filter((line) => /^vestal_(run|drill)/.test(line))
    .join('\n')
}

test('a timer holds it at its time, keeps its page, and what it came to is scraped', { timeout: 300_000 }, async () => {
  expect(hostName(6)).toBe('lab-6')
  clearNotifications(testLab)
  const at = (await on("date -d '+15 seconds' '+%Y-%m-%d %H:%M:%S'")).trim()
  const said = await on(`${program} schedule install routes -i inventory --at '${at}' --name weekly`)
  expect(said).toContain('vestal-drill-schedule-weekly.timer is installed')
  const statusOf = async () => JSON.parse(await on(`${program} schedule status --json || :`)).schedules
  expect(await statusOf()).toMatchObject([{ name: 'weekly', what: ['routes'], at }])
  await expect.poll(async () => (await statusOf())[0].exitCode, { timeout: 120_000, interval: 3_000 }).toBe(0)
  expect(labNotifications(testLab).filter(({ body }) => JSON.stringify(body).includes('VestalRouteTest'))).toHaveLength(
    1,
  )
  expect(await on('head -c 15 /root/runs/*-drill-routes-*/report.html')).toBe('<!doctype html>')
  const shown = await metrics()
  expect(shown).toMatch(/^vestal_run_result\{.*playbook="drill routes".*result="passed".*schedule="weekly"\} 1$/m)
  expect(shown).toMatch(/^vestal_drill_schedule_exit_code\{schedule="weekly"\} 0$/m)
  expect(shown).toMatch(/^vestal_drill_schedule_end_timestamp_seconds\{schedule="weekly"\} \d/m)
})

test('one that cannot even begin is seen as failed, and one that is removed leaves nothing but its runs', {
  timeout: 120_000,
}, async () => {
  const at = (await on("date -d '+5 seconds' '+%Y-%m-%d %H:%M:%S'")).trim()
  await on(
    `${program} schedule install routes -i inventory --at '${at}' --name weekly && mv ${HERE}/inventory ${HERE}/gone`,
  )
  await expect
    .poll(metrics, { timeout: 60_000, interval: 2_000 })
    .toMatch(/^vestal_drill_schedule_exit_code\{schedule="weekly"\} 2$/m)
  expect(await on(`${program} schedule remove weekly`)).toContain('weekly is removed')
  expect(await on('ls /etc/systemd/system /var/lib/node_exporter/textfile | grep vestal-drill || :')).toBe('')
  expect(await on(`${program} schedule status`)).toBe('No drill is scheduled on this machine.\n')
  expect(await on('ls -d /root/runs/*-drill-routes-* | wc -l')).toBe('1\n')
})
