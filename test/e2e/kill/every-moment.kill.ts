/** The long suite: `npm run test:kill`. Deploys are killed at every moment that ./moments.ts knows, and made good by the next run. */
import { describe, expect, inject, it } from 'vitest'
import { powerLoss, powerOn } from '../../../lib/lab/faults.ts'
import { type Fleet, type FleetOptions, inventoryOf } from '../failure/fleet.ts'
import { resetHost } from '../vestal.ts'
import { fleets } from './fleets.ts'
import { firstDeploy, laterDeploy, powerLosses } from './moments.ts'
import { convergesNow, deployUntil, firstInForce, type InForce, killedDeploy } from './round.ts'

const onFreeFleet = fleets()
const lab = inject('lab').name
const startOver = ({ monitor, node }: Fleet) => Promise.all([monitor, node].map(({ address }) => resetHost(address)))

describe.concurrent(`a first deploy whose controller is killed, at ${firstDeploy.length} moments`, () => {
  for (const moment of firstDeploy) {
    it(moment.name, () =>
      onFreeFleet(async (fleet) => {
        await startOver(fleet)
        const inventory = inventoryOf(fleet)
        await killedDeploy(inventory, moment)
        await convergesNow(inventory, fleet, firstInForce)
      }),
    )
  }
})

describe.concurrent(`a first deploy whose machine loses its power, at ${powerLosses.length} moments`, () => {
  for (const moment of powerLosses) {
    it(moment.name, () =>
      onFreeFleet(async (fleet) => {
        await startOver(fleet)
        const inventory = inventoryOf(fleet)
        const { code } = await deployUntil(inventory, moment, async () => {
          await powerLoss(fleet.monitor.name, lab)
          await powerOn(fleet.monitor.name, lab)
        })
        expect(code).toBe(1)
        await convergesNow(inventory, fleet, firstInForce)
      }),
    )
  }
})

/** Another Alertmanager, and other flags and another configuration of both. */
const later: FleetOptions = {
  all: {
    prometheus: { cluster: 'second', retention: { time: '7d' } },
    alertmanager: {
      version: '0.28.1',
      retention: '48h',
      config: { route: { receiver: 'second' }, receivers: [{ name: 'second' }] },
    },
  },
}
const laterInForce: InForce = { ...firstInForce, cluster: 'second', receiver: 'second', alertmanager: '0.28.1' }

describe.concurrent(`a later deploy whose controller is killed, at ${laterDeploy.length} moments`, () => {
  for (const moment of laterDeploy) {
    it(`${moment.name}: the change is completed by the next run`, () =>
      onFreeFleet(async (fleet) => {
        const [first, second] = [inventoryOf(fleet), inventoryOf(fleet, later)]
        await startOver(fleet)
        await convergesNow(first, fleet, firstInForce)
        await killedDeploy(second, moment)
        await convergesNow(second, fleet, laterInForce)
      }))

    it(`${moment.name}: the change, withdrawn from the inventory, is undone by the next run`, () =>
      onFreeFleet(async (fleet) => {
        const [first, second] = [inventoryOf(fleet), inventoryOf(fleet, later)]
        await startOver(fleet)
        await convergesNow(first, fleet, firstInForce)
        await killedDeploy(second, moment)
        await convergesNow(first, fleet, firstInForce)
      }))
  }
})
