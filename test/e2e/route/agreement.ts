import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pLimit from 'p-limit'
import { answerTo } from '../../../lib/routing/cases.ts'
import { bytesOf } from '../../../lib/secret.ts'
import { configFile } from '../../../roles/alertmanager/config.ts'
import { alertmanager } from '../../../roles/alertmanager/role.ts'
import { teamRouting } from '../../../roles/alertmanager/teams.ts'
import { fleet, hostsFile } from '../../unit/roles/fleet.ts'
import { unpacked } from '../roles/binaries.ts'
import { OWN_CONFIG, type Random, randomAlert, randomTeams } from './random-teams.ts'

/** A fleet of one Alertmanager with random teams. */
export const randomFleet = (random: Random, { version, teams }: { version: string; teams: number }) =>
  fleet({
    'hosts.yml': hostsFile(
      { alertmanager: { 'am-1': { ansible_host: '10.0.0.1' } } },
      { alertmanager: { version, config: OWN_CONFIG } },
    ),
    'teams/all.json': JSON.stringify(randomTeams(random, teams)),
  })

interface Sample {
  readonly version: string
  /** How many random alerts, over how many random teams. */
  readonly alerts: number
  readonly teams: number
}

/** The alerts of which Vestal and amtool disagree who is told. */
export const disagreements = async (
  random: Random,
  { version, alerts, teams }: Sample,
): Promise<readonly unknown[]> => {
  using made = await randomFleet(random, { version, teams })
  const host = made.host('am-1')
  const vars = alertmanager.varsOf(host)
  const routing = teamRouting(made.inventory, host, vars)
  const folder = mkdtempSync(join(tmpdir(), 'vestal-agreement-'))
  const file = join(folder, 'alertmanager.yml')
  writeFileSync(file, bytesOf(configFile(made.inventory, host, vars)))
  mkdirSync(join(folder, 'home'))
  const amtool = join(unpacked('alertmanager', version), 'amtool')
  const limit = pLimit(3)
  try {
    const found = await Promise.all(
      Array.from({ length: alerts }, () => randomAlert(random, teams)).map((alert) =>
        limit(async () => {
          const { labels, told } = answerTo(routing, { alert })
          const words = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
          const { stdout } = await promisify(execFile)(
            amtool,
            ['config', 'routes', 'test', `--config.file=${file}`, ...words],
            { env: { HOME: join(folder, 'home') } },
          )
          const ours = told.map(({ receiver }) => receiver).join(',')
          return ours === stdout.trim() ? [] : [{ labels, ours, amtool: stdout.trim() }]
        }),
      ),
    )
    return found.flat()
  } finally {
    rmSync(folder, { recursive: true })
  }
}
