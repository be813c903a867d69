/** Who is told of an alert: Vestal's answer beside amtool's, for each generation of Alertmanager. The suite `route` asks of 10,000. */
import { expect, test } from 'vitest'
import { versionsOf } from '../roles/binaries.ts'
import { disagreements } from './agreement.ts'
import { randomFrom } from './random-teams.ts'

test.each(versionsOf('alertmanager'))(
  'amtool %s gives the same answers for random teams and alerts',
  async (version) => {
    const random = randomFrom(7)
    expect(await disagreements(random, { version, teams: 12, alerts: 60 })).toEqual([])
  },
)
