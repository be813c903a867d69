import { seriesInHead } from '../../lib/api/prometheus.ts'
import { HostError } from '../../lib/errors.ts'
import type { Host, Instance, Inventory, Reach } from '../../lib/model.ts'
import { endpointOf } from '../../lib/program/web.ts'
import type { ShardTable } from '../../lib/sharding/table.ts'
import { replicasOf, shardingOf, shardOf } from './shards.ts'
import { prometheusOn } from './vars.ts'

type Look = Required<Pick<Instance, 'status'>>['status']

/**
 * A server's status with what its shard has, where targets are spread: its buckets, those that move with their sign; the series in its head; and how
 * many times the mean of all shards that is.
 */
export const withShard = (look: Look, about: { readonly host: Host; readonly inventory: Inventory }): Look => {
  const { host, inventory } = about
  const sharding = shardingOf(inventory)
  if (!sharding) return look
  return async (reach) => {
    const status = await look(reach)
    if (!status.ready) return status
    const shard = shardOf(host, inventory)
    const series = await seriesOn(reach, host)
    const all = await Promise.all([...replicasOf(inventory)].map((one) => seriesOf(reach, one, { host, series })))
    // A shard that scrapes nothing has only what it collected before.
    const known = all.filter(({ shard: one }) => sharding.scraped(one).length > 0).flatMap((one) => one.series ?? [])
    const mean = known.reduce((sum, one) => sum + one, 0) / Math.max(1, known.length)
    const buckets = sharding.table ? bucketsText(sharding.table, Number(shard)) : undefined
    const scrapes = sharding.scraped(shard).length > 0
    return {
      ...status,
      shows: {
        ...status.shows,
        ...(buckets !== undefined && { buckets }),
        series: String(series),
        ...(scrapes && mean > 0 && { skew: (series / mean).toFixed(2) }),
      },
    }
  }
}

/** `342`, with what comes and goes behind it: `342 +85 -3`; or that it drains. */
export const bucketsText = ({ owners, moving, draining }: ShardTable, shard: number): string => {
  const sum = (some: ShardTable['moving']): number => some.reduce((count, { buckets }) => count + buckets.length, 0)
  const comes = sum(moving.filter(({ to }) => to === shard))
  const goes = sum(moving.filter(({ from }) => from === shard))
  if (draining.includes(shard)) return 'draining'
  const own = owners.filter((owner) => owner === shard).length
  return `${own}${comes > 0 ? ` +${comes}` : ''}${goes > 0 ? ` -${goes}` : ''}`
}

interface Counted {
  readonly shard: string
  readonly series: number | undefined
}

/** The series of a shard by the first of its replicas that answers. */
const seriesOf = async (
  reach: Reach,
  [shard, replicas]: readonly [string, readonly Host[]],
  known: { readonly host: Host; readonly series: number },
): Promise<Counted> => {
  if (replicas.includes(known.host)) return { shard, series: known.series }
  for (const host of replicas)
    try {
      return { shard, series: await seriesOn(reach, host) }
    } catch (error) {
      if (!(error instanceof HostError)) throw error
    }
  return { shard, series: undefined }
}

const seriesOn = (reach: Reach, host: Host): Promise<number> =>
  seriesInHead(reach, endpointOf(host, prometheusOn(host)))
