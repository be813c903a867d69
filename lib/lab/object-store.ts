/** The lab's object store: rclone's S3 server over a folder, where whoever needs one has put rclone into the labs' folder. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isPopulated, killGroup, startMember } from './cgroup.ts'
import { attempt } from './command.ts'
import { enterLab } from './enter.ts'
import { removeOwn } from './own.ts'
import { controllerAddress, labFolder, labRoot } from './places.ts'

/** Where it answers inside every lab's network, what its bucket is called, and who may ask. */
export const objectStore = {
  endpoint: `${controllerAddress}:9000`,
  bucket: 'alertmanager',
  accessKey: 'vestal-lab',
  secretKey: 'vestal-lab-secret',
} as const

/** Where rclone is looked for. Without it, a lab has no object store. */
export const rclonePath = (): string => join(labRoot(), 'tools', 'rclone')

/** Starts the object store inside the lab's network unless it runs or there is no rclone. Returns when it answers. */
export const ensureObjectStore = async (lab: string): Promise<void> => {
  if (!existsSync(rclonePath()) || isPopulated(lab, member)) return
  mkdirSync(join(folder(lab), objectStore.bucket), { recursive: true })
  const log = join(labFolder(lab), 'object-store.log')
  const { endpoint, accessKey, secretKey } = objectStore
  const serve = [
    'serve',
    's3',
    '--addr',
    endpoint,
    '--auth-key',
    `${accessKey},${secretKey}`,
    '--config',
    '',
    ...FRESH,
    folder(lab),
  ]
  startMember(lab, member, [...(enterLab(lab) ?? []), rclonePath(), ...serve], { log })
  for (let tries = 0; !(await answers(lab)); tries++) {
    if (tries > 100) throw new Error(`the object store does not answer; its words are in ${log}`)
    await sleep(100)
  }
}

/** Ends the object store and forgets what it holds. */
export const removeObjectStore = async (lab: string): Promise<void> => {
  await killGroup(lab, member)
  if (existsSync(labFolder(lab))) {
    removeOwn(folder(lab))
    removeOwn(join(labFolder(lab), 'object-store.log'))
  }
}

/** What is put into its folder, or taken out, from outside is seen at once. */
const FRESH = ['--dir-cache-time', '1s']

const member = 'object-store'

const folder = (lab: string): string => join(labFolder(lab), 'object-store')

/** Any answer will do: one without a signature is refused. */
const answers = async (lab: string): Promise<boolean> => {
  const get = `fetch(process.argv[1]).then(() => process.exit(0), () => process.exit(1))`
  const url = `http://${objectStore.endpoint}/`
  return (await attempt([...(enterLab(lab) ?? []), process.execPath, '-e', get, url])).code === 0
}
