/** 10,000 random alerts over random teams, for each generation of Alertmanager: Vestal's answer is amtool's. */
import { expect, test } from 'vitest'
import { versionsOf } from '../roles/binaries.ts'
import { disagreements } from './agreement.ts'
import { randomFrom } from './random-teams.ts'

const ALERTS = Number(process.env.VESTAL_ROUTE_ALERTS ?? 10_000)
/** New teams for every so many alerts. */
const EACH = 250

test.each(versionsOf('alertmanager'))(
  `amtool %s gives the same answers for ${ALERTS} random alerts`,
  async (version) => {
    const random = randomFrom(Number(version.replaceAll('.', '')))
    for (let done = 0; done < ALERTS; done += EACH)
      expect(await disagreements(random, { version, teams: 20, alerts: Math.min(EACH, ALERTS - done) })).toEqual([])
  },
)
