/** A lab of six machines, a fleet on it, and one alert that arrives once. Everything it prints is what happened. */
import { setTimeout as sleep } from 'node:timers/promises'
import { $ } from 'zx'
import { clearNotifications, labNotifications, type Notification } from '../lib/lab/receiver.ts'
import { labExec } from '../lib/lab/ssh.ts'

const PLAYBOOK = 'playbooks/deploy.ts'
const INVENTORY = 'inventory/ha'
const ALERT = 'VestalQuickstart'
const METRIC = '/var/lib/node_exporter/textfile/quickstart.prom'
/** The machine whose exporter shows the metric: node-1 of inventory/ha. */
const MACHINE = '10.88.0.16'
/** The second and third Alertmanager of three wait 15 s each for the one before; what comes twice has come by then. */
const SETTLE_MS = 35_000
const ARRIVE_MS = 120_000

$.stdio = 'inherit'
const say = (text: string): void => console.log(`\n==> ${text}`)

const setMetric = async (value: 0 | 1): Promise<void> => {
  const { code, stderr } = await labExec(
    MACHINE,
    `printf 'vestal_quickstart ${value}\\n' >${METRIC}.new && mv ${METRIC}.new ${METRIC}`,
  )
  if (code !== 0) throw new Error(`${MACHINE}: the metric could not be written: ${stderr}`)
}

const isOurs = ({ body }: Notification): boolean =>
  JSON.stringify(body).includes(`"alertname":"${ALERT}"`) && (body as { status?: string }).status === 'firing'

const firing = (): readonly Notification[] => labNotifications().filter(isOurs)

say('Bringing up a lab of six machines')
await $`npx vestal lab up --hosts 6`
say(`Deploying two Prometheus and three Alertmanagers: npx zx ${PLAYBOOK} -i ${INVENTORY}`)
await $`npx zx ${PLAYBOOK} -i ${INVENTORY}`
say('What serves now: vestal status -i inventory/ha')
await $`npx vestal status -i ${INVENTORY}`

say(`Making ${ALERT} true on node-1, seen by both Prometheus replicas, sent to all three Alertmanagers`)
await setMetric(0)
clearNotifications()
const startedAt = Date.now()
await setMetric(1)
while (firing().length === 0 && Date.now() - startedAt < ARRIVE_MS) await sleep(500)
const first = firing()[0]
if (!first) throw new Error(`no notification came within ${ARRIVE_MS / 1000} s`)
console.log(
  `The first notification came after ${((Date.parse(first.at) - startedAt) / 1000).toFixed(1)} s; waiting ${SETTLE_MS / 1000} s for any other`,
)
await sleep(SETTLE_MS)
const count = firing().length
await setMetric(0)
console.log(`Notifications for one alert from two Prometheus replicas and three Alertmanagers: ${count}`)
console.log(`
What to try next
  npx vestal plan -i inventory/ha                     what a deploy would change: nothing
  npx vestal lab exec lab-1 -- systemctl stop prometheus
  npx vestal plan -i inventory/ha                     it is found …
  npx zx playbooks/deploy.ts -i inventory/ha          … and mended
  npx vestal lab notifications                        what people would have been told
  npx vestal lab down                                 away with the machines`)
process.exitCode = count === 1 ? 0 : 1
