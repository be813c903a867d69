/** Two operators, each with a part of the fleet, at the same time, and one of them is killed: never are two members of a group interrupted at once. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { ADDRESSES, ALERTMANAGERS, deploy, REPLICAS } from '../deploy/fleet.ts'
import { fleetInventory, NEWEST, standing } from '../operate/fleet.ts'
import { onHost, startVestal } from '../vestal.ts'

const MOMENTS = Number(process.env.VESTAL_ROUNDS ?? 30)
/** Killed moments are spread over this time, which a run of a part takes on a slow box. */
const SPAN_MS = 15_000
const PARTS = ['am-1,prom-1', 'am-2,am-3,prom-2'] as const

const inventory = fleetInventory(NEWEST)
/** The same fleet with another flag, which takes a restart. */
const noisier = join(mkdtempSync(join(tmpdir(), 'vestal-two-')), 'own')

beforeAll(async () => {
  await standing(inventory)
  cpSync(inventory, noisier, { recursive: true })
  for (const program of ['alertmanager', 'prometheus']) {
    const path = join(noisier, 'group_vars', `${program}.yml`)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(new RegExp(`^(?:"?)${program}(?:"?):`, 'm'), `${program}:\n  log_level: debug`))
  }
})

/** What the machines did before is not looked at. */
let began = 0

interface Interruption {
  readonly member: string
  readonly from: number
  readonly to: number
}

/** From systemd's word that it stops a service to the program's own that it serves again, by the machines' journals; microseconds since 1970. */
const interruptions = async (member: string, serves: string): Promise<readonly Interruption[]> => {
  const unit = member.startsWith('am') ? 'alertmanager' : 'prometheus'
  const said = await onHost(
    ADDRESSES[member as keyof typeof ADDRESSES],
    `journalctl --sync; journalctl --no-pager -u ${unit} --since=@${Math.floor(began / 1_000)} -o json --output-fields=MESSAGE | grep -E '"MESSAGE":"(Stopping |.*${serves})' || :`,
  )
  const found: Interruption[] = []
  let from: number | undefined
  for (const line of said.split('\n').filter(Boolean)) {
    const { MESSAGE, __REALTIME_TIMESTAMP: at } = JSON.parse(line) as { MESSAGE: string; __REALTIME_TIMESTAMP: string }
    if (MESSAGE.startsWith('Stopping ')) from ??= Number(at)
    else if (from !== undefined) {
      found.push({ member, from, to: Number(at) })
      from = undefined
    }
  }
  return from === undefined ? found : [...found, { member, from, to: Number.POSITIVE_INFINITY }]
}

const overlaps = (some: readonly Interruption[]): readonly (readonly Interruption[])[] =>
  some.flatMap((one, at) =>
    some
      .slice(at + 1)
      .flatMap((other) =>
        one.member !== other.member && one.from < other.to && other.from < one.to ? [[one, other]] : [],
      ),
  )

test(`one controller is killed at ${MOMENTS} moments while the other waits`, async () => {
  const codes: Record<string, number> = {}
  began = Date.now()
  for (let moment = 0; moment < MOMENTS; moment++) {
    const wanted = moment % 2 === 0 ? noisier : inventory
    const run = (limit: string) => startVestal(['deploy', '-i', wanted, '--limit', limit, '--json'])
    const [killed, other] = [run(PARTS[moment % 2] ?? ''), run(PARTS[(moment + 1) % 2] ?? '')]
    await sleep((SPAN_MS * moment) / MOMENTS)
    killed.kill('SIGKILL')
    await killed.ended
    const { code, stdout, stderr } = await other.ended
    expect([0, 1], `${stdout}${stderr}`).toContain(code)
    // One that gave up waiting has said for whom.
    if (code === 1) expect(stdout).toContain('locked by ')
    codes[String(code)] = (codes[String(code)] ?? 0) + 1
    await deploy('-i', wanted)
  }
  const groups = { alertmanager: ALERTMANAGERS, prometheus: REPLICAS }
  const all = await Promise.all(
    Object.entries(groups).map(async ([group, members]) => {
      const serves = group === 'alertmanager' ? 'gossip settled' : 'Server is ready to receive'
      return (await Promise.all(members.map((member) => interruptions(member, serves)))).flat()
    }),
  )
  console.log(JSON.stringify({ moments: MOMENTS, codes, interruptions: all.map(({ length }) => length) }))
  expect(all.map(overlaps)).toEqual([[], []])
  // Each change takes a restart of every member; a member that was never interrupted would have shown nothing.
  expect(all.map(({ length }) => length >= MOMENTS)).toEqual([true, true])
})
