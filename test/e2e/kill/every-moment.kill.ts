/** The long suite: `npm run test:kill`. Two deploys are killed at every moment that ./moments.ts knows, and made good by the next run. */
import { describe, it } from 'vitest'
import { type FleetOptions, inventoryOf } from '../failure/fleet.ts'
import { resetHost } from '../vestal.ts'
import { fleets } from './fleets.ts'
import { firstDeploy, laterDeploy } from './moments.ts'
import { convergesNow, firstInForce, type InForce, killedDeploy } from './round.ts'

const onFreeFleet = fleets()

describe.concurrent(`a first deploy whose controller is killed, at ${firstDeploy.length} moments`, () => {
  for (const moment of firstDeploy) {
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

/** Another Alertmanager, another configuration of both, and other flags of Prometheus. */
const later: FleetOptions = {
  all: {
    prometheus: { cluster: 'second', retention: { time: '7d' } },
    alertmanager: { version: '0.28.1', config: { route: { receiver: 'second' }, receivers: [{ name: 'second' }] } },
  },
}
const laterInForce: InForce = { ...firstInForce, cluster: 'second', receiver: 'second', alertmanager: '0.28.1' }

describe.concurrent(`a later deploy whose controller is killed, at ${laterDeploy.length} moments`, () => {
  for (const moment of laterDeploy) {
    it(`${moment.name}: the change is completed by the next run`, () =>
      onFreeFleet(async (fleet) => {
        const [first, second] = [inventoryOf(fleet), inventoryOf(fleet, later)]
        await convergesNow(first, fleet, firstInForce)
        await killedDeploy(second, moment)
        await convergesNow(second, fleet, laterInForce)
      }))

    it(`${moment.name}: the change, withdrawn from the inventory, is undone by the next run`, () =>
      onFreeFleet(async (fleet) => {
        const [first, second] = [inventoryOf(fleet), inventoryOf(fleet, later)]
        await convergesNow(first, fleet, firstInForce)
        await killedDeploy(second, moment)
        await convergesNow(first, fleet, firstInForce)
      }))
  }
})
