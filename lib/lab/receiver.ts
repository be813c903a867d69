/** The lab's webhook receiver: where Alertmanagers send to, and what came. */
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isPopulated, killGroup, startMember } from './cgroup.ts'
import { attempt, run } from './command.ts'
import { enterLab } from './enter.ts'
import { controllerAddress, labFolder, notificationsFile, receiverUrl } from './places.ts'

/** One POST that the receiver got. */
export interface Notification {
  /** When it came, RFC 3339 with milliseconds. */
  readonly at: string
  readonly path: string
  /** What was answered. A notification that was answered with 500 will come again. */
  readonly status: number
  /** Alertmanager's webhook message (its documentation, "webhook_config"), or the text if it was not JSON. */
  readonly body: unknown
}

/** Returns all notifications since the lab came up or they were cleared, in the order they came. */
export const labNotifications = (lab = 'default'): Notification[] => {
  const file = notificationsFile(lab)
  if (!existsSync(file)) return []
  // What follows the last newline is a line still being written.
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** Forgets all notifications so far. */
export const clearNotifications = (lab = 'default'): void => {
  if (existsSync(notificationsFile(lab))) truncateSync(notificationsFile(lab))
}

/** How the receiver answers from now on. `{}` is 200 at once. */
export const setReceiver = async (answer: { status?: number; delayMs?: number }, lab = 'default'): Promise<void> => {
  await run([
    ...(enterLab(lab) ?? []),
    process.execPath,
    '-e',
    post,
    `${receiverUrl}/__control`,
    JSON.stringify(answer),
  ])
}

/** Starts the receiver inside the lab's network unless it runs. Returns when it answers. */
export const ensureReceiver = async (lab: string): Promise<void> => {
  if (isPopulated(lab, member)) return
  mkdirSync(labFolder(lab), { recursive: true })
  const log = join(labFolder(lab), 'receiver.log')
  const program = [process.execPath, fileURLToPath(import.meta.url).replace(/receiver(\.\w+)$/, 'receiver-main$1')]
  const command = [...(enterLab(lab) ?? []), ...program, controllerAddress, '9095', notificationsFile(lab)]
  startMember(lab, member, command, { log })
  for (let tries = 0; !(await answers(lab)); tries++) {
    if (tries > 100) throw new Error(`the webhook receiver does not answer; its words are in ${log}`)
    await sleep(100)
  }
}

/** Ends the receiver and forgets what it got. */
export const removeReceiver = async (lab: string): Promise<void> => {
  await killGroup(lab, member)
  rmSync(notificationsFile(lab), { force: true })
}

/** The receiver's place among the lab's control groups. */
const member = 'receiver'

const answers = async (lab: string): Promise<boolean> => {
  const get = `fetch(process.argv[1]).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`
  return (await attempt([...(enterLab(lab) ?? []), process.execPath, '-e', get, `${receiverUrl}/healthz`])).code === 0
}

const post = `fetch(process.argv[1], { method: 'POST', body: process.argv[2] }).then((r) => process.exit(r.ok ? 0 : 1))`
