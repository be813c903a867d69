import { describe, it } from 'vitest'
import { inventoryOf } from '../failure/fleet.ts'
import { resetHost } from '../vestal.ts'
import { fleets } from './fleets.ts'
import { oneOfEachStage } from './moments.ts'
import { convergesNow, firstInForce, killedDeploy } from './round.ts'

const onFreeFleet = fleets()

describe.concurrent('a first deploy whose controller is killed is made good by the next run', {
  timeout: 900_000,
}, () => {
  for (const moment of oneOfEachStage) {
    it(moment.name, () =>
      onFreeFleet(async (fleet) => {
        await Promise.all([fleet.monitor, fleet.node].map(({ address }) => resetHost(address)))
        const inventory = inventoryOf(fleet)
        await killedDeploy(inventory, moment)
        await convergesNow(inventory, fleet, firstInForce)
      }),
    )
  }
})
