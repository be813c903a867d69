/** The one setting of the box that many hosts outgrow: each systemd watches files, and they share one user's allowance. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { boxFolder } from './places.ts'

const setting = '/proc/sys/fs/inotify/max_user_instances'
/** What one host takes, counted on Debian 12 with room to spare. */
const eachHost = 16

/** Raises the allowance if this many hosts more could need it. The box's own value is kept to be put back. */
export const raiseLimits = (hosts: number): void => {
  const now = Number(readFileSync(setting, 'utf8'))
  const wanted = 128 + hosts * eachHost
  if (now >= wanted) return
  if (!existsSync(saved)) writeFileSync(saved, `${now}\n`)
  writeFileSync(setting, `${wanted}\n`)
}

/** Puts the box's own value back. */
export const restoreLimits = (): void => {
  if (!existsSync(saved)) return
  writeFileSync(setting, readFileSync(saved))
  rmSync(saved)
}

const saved = `${boxFolder}/max_user_instances`
