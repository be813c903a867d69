import { setTimeout as sleep } from 'node:timers/promises'
import { type Verified, verifyShards } from '../../../fleet/shards/verify.ts'
import { milliseconds } from '../../../lib/duration.ts'
import type { Duration } from '../../../lib/model.ts'
import { print } from '../../../lib/report/print.ts'
import { counted } from '../../../lib/wording.ts'
import type { Opened } from '../../context.ts'

const AGAIN_MS = 2_000

/**
 * Whether every target is scraped by exactly one shard, and there by each replica, as the servers say. Exit code 1 where one is not. `json: 'line'` says
 * so in one line, as events before it are.
 */
export const verifyOfShards = async (
  { inventory, pool, redacted }: Opened,
  { json, within }: { readonly json: boolean | 'line'; readonly within: string },
): Promise<number> => {
  const until = Date.now() + (within === '' ? 0 : milliseconds(within as Duration))
  let found = await verifyShards(inventory, pool.reach)
  while (!isRight(found) && Date.now() + AGAIN_MS < until) {
    await sleep(AGAIN_MS)
    found = await verifyShards(inventory, pool.reach)
  }
  const shown = redacted(found)
  print(
    json
      ? JSON.stringify(
          { vestal: 'shards-verify/1', exactlyOnce: isRight(found), ...shown },
          null,
          json === 'line' ? 0 : 2,
        )
      : verifiedText(shown).join('\n'),
  )
  return isRight(found) ? 0 : 1
}

const isRight = ({ deviations, silent }: Verified): boolean => deviations.length + silent.length === 0

const MOST = 20

const verifiedText = ({ targets, perShard, moving, deviations, silent }: Verified): readonly string[] => [
  ...silent.map(({ host, why }) => `${host} does not say what it scrapes: ${why}`),
  ...deviations.slice(0, MOST).map(({ job, target, what }) => `${job}${target === '' ? '' : ` ${target}`} ${what}`),
  ...(deviations.length > MOST ? [`and ${deviations.length - MOST} more; --json has all`] : []),
  `${counted(targets, 'target')}: ${Object.entries(perShard)
    .map(([shard, count]) => `shard ${shard} has ${count}`)
    .join(', ')}.`,
  ...(moving > 0
    ? [`${counted(moving, 'target')} on the way to another shard: until the move is over, two may scrape them.`]
    : []),
  deviations.length + silent.length === 0
    ? `Every ${moving > 0 ? 'other ' : ''}target is scraped by exactly one shard, and there by each replica.`
    : `Not every target is known to be scraped by exactly one shard and each of its replicas: ${counted(deviations.length + silent.length, 'deviation')}.`,
]
