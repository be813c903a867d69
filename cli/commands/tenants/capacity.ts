import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { milliseconds } from '../../../lib/duration.ts'
import { InputError } from '../../../lib/errors.ts'
import type { Inventory } from '../../../lib/model.ts'
import { print } from '../../../lib/report/print.ts'
import { counted } from '../../../lib/wording.ts'
import { tenantsAt } from '../../../roles/cortex-alertmanager/gates.ts'
import type { Member } from '../../../roles/cortex-alertmanager/members.ts'
import {
  type Capacity,
  capacityOf,
  grownByChoice,
  grownByDraw,
  keysOf,
  type Spread,
  spreadOf,
  type Wish,
} from '../../../roles/cortex-alertmanager/ring/capacity.ts'
import { countsOf, type RingMember, ringOf } from '../../../roles/cortex-alertmanager/ring/ring.ts'
import { chooseTokens, seeded, tokensFile } from '../../../roles/cortex-alertmanager/ring/tokens.ts'
import type { Context } from '../../context.ts'
import type { TenantsFlags } from './flags.ts'
import { clientOf, ringOfInventory } from './ring.ts'

/** Without an inventory: how many instances so many tenants need. Throws InputError for numbers that make no sense. */
export const capacityAlone = (flags: TenantsFlags): number => {
  if (flags.running || flags.choose)
    throw new InputError([
      {
        where: '--inventory',
        what: '--running and --choose are about the ring of an inventory',
        fix: 'Name it with -i.',
      },
    ])
  const wish = wishOf(flags, undefined)
  const capacity = capacityOf(wish)
  print(
    flags.json
      ? JSON.stringify({ vestal: 'tenants-capacity/1', ...capacity }, null, 2)
      : capacityText(capacity).join('\n'),
  )
  return 0
}

/** The same for the tenants and the ring of an inventory; with `--running` also what the ring is now, and what more instances would do. */
export const capacityOfRing = async (context: Context, flags: TenantsFlags): Promise<number> => {
  const { inventory } = context
  const ring = ringOfInventory(inventory)
  const [first] = ring.members
  const client = clientOf(ring, context.pool.reach)
  const names =
    flags.tenants !== undefined
      ? undefined
      : flags.running
        ? await client.names()
        : [...(await ring.tenants()).map(({ name }) => name), ...ring.own]
  const wish: Wish = {
    ...wishOf(flags, names),
    settings: ring.settings,
    zones: [...new Set(ring.members.flatMap(({ vars }) => vars.zone ?? []))].sort(),
    pollIntervalMs: milliseconds(first?.vars.poll_interval ?? '1m'),
  }
  const capacity = capacityOf(wish)
  const there = flags.running ? ((await client.members()) ?? []) : []
  const now = flags.running ? await ringNow(there, ring.members, wish, context) : undefined
  const grown = flags.running && flags.more > 0 ? growth(there, flags.more, wish) : undefined
  const written = flags.choose ? writeTokens(inventory, ring.members, wish, there) : []
  const json = {
    vestal: 'tenants-capacity/1',
    ...capacity,
    ...(now && { now }),
    ...(grown && { grown }),
    ...(flags.choose && { written }),
  }
  print(
    flags.json
      ? JSON.stringify(json, null, 2)
      : [
          ...capacityText(capacity),
          ...(now ? nowText(now) : []),
          ...(grown
            ? [
                `With ${flags.more} more: ${spreadText(grown.drawn)} with drawn tokens, ${spreadText(grown.chosen)} with chosen ones.`,
              ]
            : []),
          ...written.map((file) => `wrote ${file}`),
        ].join('\n'),
  )
  return 0
}

const wishOf = ({ tenants, perInstance }: TenantsFlags, names: readonly string[] | undefined): Wish => {
  const count = names?.length ?? tenants
  if (count === undefined)
    throw new InputError([
      { where: '--tenants', what: 'how many tenants there are to be is not said', fix: '--tenants 20000' },
    ])
  if (!(Number.isInteger(count) && count > 0 && Number.isInteger(perInstance) && perInstance > 0))
    throw new InputError([
      {
        where: '--tenants, --per-instance',
        what: 'expected whole numbers from 1',
        fix: '--tenants 20000 --per-instance 2000',
      },
    ])
  return {
    tenants: count,
    perInstance,
    names,
    settings: { replicationFactor: 3, zoneAware: false },
    pollIntervalMs: 60_000,
  }
}

interface RingNow {
  readonly instances: readonly { readonly id: string; readonly predicted: number; readonly owned: number }[]
  readonly spread: Spread
}

const ringNow = async (
  there: readonly RingMember[],
  members: readonly Member[],
  wish: Wish,
  { pool }: Context,
): Promise<RingNow> => {
  const counts = countsOf(ringOf(there, wish.settings), keysOf(wish))
  const owned = new Map(
    await Promise.all(members.map(async (one) => [one.host.name, (await tenantsAt(pool.reach, one)).owned] as const)),
  )
  return {
    instances: there.map(({ id }, at) => ({ id, predicted: counts[at] ?? 0, owned: owned.get(id) ?? 0 })),
    spread: spreadOf(there, keysOf(wish), wish.settings),
  }
}

const growth = (there: readonly RingMember[], more: number, wish: Wish) => ({
  more,
  drawn: grownByDraw(there, more, wish),
  chosen: grownByChoice(there, more, wish),
})

/** Tokens for every instance that has neither a file of them nor a place in the running ring. */
const writeTokens = (
  inventory: Inventory,
  members: readonly Member[],
  wish: Wish,
  there: readonly RingMember[],
): readonly string[] => {
  const folder = resolve(inventory.folder, members[0]?.vars.tokens ?? 'tokens')
  const known: RingMember[] = members.flatMap(({ host, vars }) => {
    const running = there.find(({ id }) => id === host.name)
    const file = join(folder, `${host.name}.json`)
    if (running) return [running]
    return existsSync(file)
      ? [{ id: host.name, zone: vars.zone, tokens: JSON.parse(readFileSync(file, 'utf8')).tokens as number[] }]
      : []
  })
  const random = seeded(known.length + 1)
  const keys = wish.names ? keysOf(wish) : undefined
  const written: string[] = []
  for (const { host, vars } of members) {
    if (known.some(({ id }) => id === host.name)) continue
    const tokens = chooseTokens(known, { zone: vars.zone, settings: wish.settings, random, keys })
    known.push({ id: host.name, zone: vars.zone, tokens })
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `${host.name}.json`)
    writeFileSync(file, tokensFile(tokens))
    written.push(file)
  }
  return written
}

const capacityText = (one: Capacity): readonly string[] => [
  `${counted(one.tenants, 'tenant')} with ${one.replicationFactor} replicas each, ${one.perInstance} an instance at most:`,
  `  ${one.even} instances, if all owned the same`,
  `  ${one.drawn.instances} with tokens as Cortex draws them: ${spreadText(one.drawn)}, in nine rings of ten`,
  `  ${one.chosen.instances} with chosen tokens: ${spreadText(one.chosen)}; ${counted(one.saved, 'machine')} fewer`,
  `  the largest has ${gigabytes(one.memory.idleBytes)} of heap where its tenants are idle, ${gigabytes(one.memory.firingBytes)} with ten alerts firing in each; its process takes up to ${gigabytes(one.memory.rssBytes)} while a ring grows`,
  `  it takes some ${one.restartSeconds} s to start; all together read the object store ${one.pollReadsPerSecond} times a second`,
]

const nowText = ({ instances, spread }: RingNow): readonly string[] => [
  `The ring now: ${spreadText(spread)}`,
  ...instances.map(
    ({ id, predicted, owned }) => `  ${id} owns ${owned}${predicted === owned ? '' : `, and ${predicted} by the ring`}`,
  ),
]

const spreadText = ({ mean, worst, worstAbovePercent }: Spread): string =>
  `${worst} on the largest, ${worstAbovePercent}% above the mean of ${mean}`

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`
