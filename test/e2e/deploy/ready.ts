/** Who answers, looked at from outside for as long as a run takes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ADDRESSES, ALERTMANAGERS, type Member, REPLICAS } from './fleet.ts'

export interface Watch {
  /** Returns each look at the fleet: who of all Prometheus and Alertmanagers refused to answer then. */
  stop(): Promise<readonly (readonly Member[])[]>
}

/** Asks every Prometheus and Alertmanager whether it is there, ten times a second. A busy machine that answers late is there. */
export const watchReady = (): Watch => {
  const looks: (readonly Member[])[] = []
  let ended = false
  const watching = (async () => {
    while (!ended) {
      const members = [...REPLICAS, ...ALERTMANAGERS]
      const there = await Promise.all(members.map(answers))
      looks.push(members.filter((_, index) => !there[index]))
      await sleep(100)
    }
  })()
  return {
    async stop() {
      ended = true
      await watching
      return looks
    },
  }
}

const answers = async (member: Member): Promise<boolean> => {
  const port = member.startsWith('prom') ? 9090 : 9093
  try {
    await fetch(`http://${ADDRESSES[member]}:${port}/-/healthy`, { signal: AbortSignal.timeout(5_000) })
    return true
  } catch (error) {
    return error instanceof DOMException
  }
}
