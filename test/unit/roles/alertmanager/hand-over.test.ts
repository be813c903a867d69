import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HeldAlert, Listed, SentAlert } from '../../../../lib/api/alertmanager.ts'
import type { Host, Inventory } from '../../../../lib/model.ts'
import { alertsHandedOver, endedSince, lacking } from '../../../../roles/alertmanager/hand-over.ts'
import { alertAnswer, statusAnswer } from '../../gates/answers.ts'
import { Answer, reach, type WebServer, webServer } from '../../gates/web-server.ts'

const MINUTE = 60_000
const RESENT = MINUTE
const iso = (ms: number): string => new Date(ms).toISOString()
const ms = Date.parse

/** An Alertmanager's alerts in memory: what it does with one that is sent (`provider/mem/mem.go`, `types/types.go`: `Put`, `Merge`). */
class Member {
  readonly #alerts = new Map<string, HeldAlert>()
  send(alert: SentAlert, now: number): void {
    const fingerprint = JSON.stringify(alert.labels)
    const sent: HeldAlert = { ...alert, fingerprint, updatedAt: iso(now) }
    const old = this.#alerts.get(fingerprint)
    const overlaps =
      old &&
      ((ms(sent.endsAt) > ms(old.startsAt) && ms(sent.endsAt) < ms(old.endsAt)) ||
        (ms(sent.startsAt) > ms(old.startsAt) && ms(sent.startsAt) < ms(old.endsAt)))
    this.#alerts.set(fingerprint, overlaps ? this.#merged(old, sent, now) : sent)
  }
  #merged(old: HeldAlert, sent: HeldAlert, now: number): HeldAlert {
    const startsAt = ms(old.startsAt) < ms(sent.startsAt) ? old.startsAt : sent.startsAt
    const [oldEnd, end] = [ms(old.endsAt), ms(sent.endsAt)]
    const later = end <= now ? oldEnd <= now && oldEnd > end : oldEnd > end
    return { ...sent, startsAt, endsAt: later ? old.endsAt : sent.endsAt }
  }
  list(now: number): Listed<HeldAlert> {
    return { items: [...this.#alerts.values()].filter(({ endsAt }) => ms(endsAt) > now), now }
  }
}

/** Milliseconds after the restarted member answers: it and its peers are read, it is sent alerts, peers are read again, it is sent what has ended. */
const [READ, SENT, READ_AGAIN, SENT_AGAIN, COMPARED] = [100, 200, 300, 400, 500]
/** A message takes at most this long, and no longer to one member than between two of those steps. */
const LATENCY = 40
/** An alert begins and ends with an evaluation of its rule; those are further apart than all of these steps. */
const EVALUATED = 1_000

interface Firing {
  readonly name: string
  /** Both count from the moment when the restarted member answers. */
  readonly from: number
  readonly to: number
  /** Until then Prometheus says that it has ended: for a quarter of an hour, or until it begins anew. */
  readonly until: number
}
const around = (least: number, most: number) => fc.integer({ min: least, max: most })
const firings = fc
  .array(
    fc.record({
      name: fc.constantFrom('A', 'B', 'C', 'D'),
      from: around(-10 * MINUTE, 600),
      lasts: around(EVALUATED, MINUTE),
    }),
    { maxLength: 20 },
  )
  .map((some) =>
    // One after the other, under one name.
    Object.values(Object.groupBy(some, ({ name }) => name)).flatMap((same = []) => {
      let next = Number.NEGATIVE_INFINITY
      return same
        .toSorted((one, other) => one.from - other.from)
        .map(({ name, from, lasts }) => {
          const begins = Math.max(from, next)
          next = begins + lasts + EVALUATED
          return { name, from: begins, to: begins + lasts }
        })
        .map((one, at, all): Firing => ({ ...one, until: all[at + 1]?.from ?? one.to + 15 * MINUTE }))
    }),
  )

const ZERO = Date.parse('2026-01-01T00:00:00Z')
interface Message {
  readonly at: number
  readonly alert: SentAlert
}
/** As a Prometheus sends an alert: when it begins, each minute, and so its end. */
const messagesOf = ({ name, from, to, until }: Firing): readonly Message[] => {
  const alert = { labels: { alertname: name }, annotations: {}, startsAt: iso(ZERO + from) }
  const messages: Message[] = []
  for (let at = from; at < to; at += RESENT)
    messages.push({ at, alert: { ...alert, endsAt: iso(ZERO + at + 4 * RESENT) } })
  // What is sent again is sent with an evaluation too: none comes right before it begins anew.
  for (let at = to; at <= until - EVALUATED && at < COMPARED; at += RESENT)
    messages.push({ at, alert: { ...alert, endsAt: iso(ZERO + to) } })
  return messages
}

/** Plays it all, and returns who is said to fire at the end: by the restarted member, and by its peer. */
const played = (
  some: readonly Firing[],
  latencies: readonly number[],
  ends: typeof endedSince = endedSince,
): readonly [readonly string[], readonly string[]] => {
  const [restarted, peer] = [new Member(), new Member()]
  let handed: readonly HeldAlert[] = []
  let own: Listed<HeldAlert> = { items: [], now: 0 }
  let after: Listed<HeldAlert> = own
  const latency = (index: number): number => latencies[index % latencies.length] ?? 0
  const send = (member: Member, alert: SentAlert, at: number) => () => member.send(alert, ZERO + at)
  const steps: (readonly [number, () => void])[] = [
    ...some.flatMap(messagesOf).flatMap(({ at, alert }, index) => {
      const [early, late] = [at + latency(2 * index), at + latency(2 * index + 1)]
      // What it was sent before is gone, or never came.
      const up = early >= 0
      return [
        [late, send(peer, alert, late)] as const,
        ...(up ? [[early, send(restarted, alert, early)] as const] : []),
      ]
    }),
    [
      READ,
      () => {
        own = restarted.list(ZERO + READ)
        handed = lacking(own, [peer.list(ZERO + READ)])
      },
    ],
    [SENT, () => handed.forEach((alert) => void restarted.send(alert, ZERO + SENT))],
    [
      READ_AGAIN,
      () => {
        after = peer.list(ZERO + READ_AGAIN)
      },
    ],
    [
      SENT_AGAIN,
      () => ends(handed, [after], ZERO + SENT_AGAIN).forEach((alert) => void restarted.send(alert, ZERO + SENT_AGAIN)),
    ],
  ]
  for (const [, step] of steps.filter(([at]) => at <= COMPARED).toSorted(([one], [other]) => one - other)) step()
  const underWay = new Set(
    some.flatMap((one) =>
      messagesOf(one).some(({ at }) => at > COMPARED - LATENCY && at <= COMPARED) ? [one.name] : [],
    ),
  )
  const names = (member: Member): readonly string[] =>
    member
      .list(ZERO + COMPARED)
      .items.flatMap(({ labels: { alertname = '' } }) => (underWay.has(alertname) ? [] : [alertname]))
      .toSorted()
  return [names(restarted), names(peer)]
}

const plays = [firings, fc.array(around(0, LATENCY), { minLength: 16, maxLength: 64 })] as const

describe('a restarted Alertmanager that is handed the alerts of another', () => {
  test('holds what that one holds, whatever begins and ends meanwhile', () => {
    fc.assert(
      fc.property(...plays, (some, latencies) => {
        const [restarted, peer] = played(some, latencies)
        expect(restarted).toEqual(peer)
      }),
      { numRuns: 500, endOnFailure: true },
    )
  })

  test('without a second look it would hold one that ended meanwhile', () => {
    const ends = [{ name: 'A', from: -MINUTE / 2, to: (READ + SENT) / 2, until: MINUTE }]
    expect(played(ends, [0], () => [])).toEqual([['A'], []])
    expect(played(ends, [0])).toEqual([[], []])
  })
})

const member = ({ endpoint: { host, port } }: WebServer): Host => ({
  ...host,
  groups: ['alertmanager'],
  vars: {
    alertmanager: {
      version: '0.33.1',
      listen: `127.0.0.1:${port}`,
      config: { route: { receiver: 'default' }, receivers: [{ name: 'default' }] },
    },
  },
})
const handOver = (restarted: Host, ...peers: readonly Host[]) => {
  const hosts = [restarted, ...peers]
  return alertsHandedOver({ inventory: { hosts } as unknown as Inventory, batch: [restarted], hosts }, reach)
}
const sentTo = async ({ asked }: WebServer): Promise<readonly unknown[]> =>
  (await Promise.all(asked.map(({ body }) => body))).filter(Boolean).map((body) => JSON.parse(body))

describe('over the API', () => {
  const now = Date.parse('2026-01-01T10:00:00Z')
  const date = { date: new Date(now).toUTCString() }
  const listed = (...alerts: readonly unknown[]) => new Answer(200, JSON.stringify(alerts), date)

  test('it is sent what it lacks, as it was sent to the others', async () => {
    await using restarted = await webServer('am-1', {
      '/api/v2/status': statusAnswer({ status: 'settling', peers: [] }),
      '/api/v2/alerts': listed(alertAnswer('known')),
    })
    await using peer = await webServer('am-2', {
      '/api/v2/alerts': listed(
        alertAnswer('known'),
        alertAnswer('lost', { generatorURL: '' }),
        alertAnswer('by hand', { updatedAt: '2026-01-01T09:50:00Z' }),
      ),
    })
    const told = await handOver(member(restarted), member(peer))
    expect(told).toEqual([{ host: 'am-1', what: 'was handed 1 alert that others are being sent' }])
    expect(await sentTo(restarted)).toEqual([
      [
        {
          labels: { alertname: 'Alert lost' },
          annotations: {},
          startsAt: '2026-01-01T09:00:00Z',
          endsAt: '2026-01-01T10:03:00Z',
        },
      ],
    ])
  })

  test('whole as it is, it is sent nothing', async () => {
    await using restarted = await webServer('am-1', {
      '/api/v2/status': statusAnswer({ status: 'ready', peers: [] }),
      '/api/v2/alerts': listed(alertAnswer('known')),
    })
    await using peer = await webServer('am-2', { '/api/v2/alerts': listed(alertAnswer('known')) })
    expect(await handOver(member(restarted), member(peer))).toEqual([])
    expect(await sentTo(restarted)).toEqual([])
  })

  test('a peer that does not answer is left out', async () => {
    await using restarted = await webServer('am-1', {
      '/api/v2/status': statusAnswer({ status: 'ready', peers: [] }),
      '/api/v2/alerts': listed(),
    })
    await using peer = await webServer('am-2', { '/api/v2/alerts': listed(alertAnswer('lost')) })
    await using broken = await webServer('am-3', { '/api/v2/alerts': new Answer(500, 'no') })
    expect(await handOver(member(restarted), member(broken), member(peer))).toMatchObject([{ host: 'am-1' }])
  })

  test('one that refuses them says why, and its gates are left to wait', async () => {
    await using restarted = await webServer('am-1', {
      '/api/v2/status': statusAnswer({ status: 'ready', peers: [] }),
      '/api/v2/alerts': listed(),
    })
    await using peer = await webServer('am-2', { '/api/v2/alerts': listed(alertAnswer('lost')) })
    restarted.refuses = 'POST'
    await expect(handOver(member(restarted), member(peer))).rejects.toThrow(
      'its Alertmanager refused alerts (400): not today',
    )
  })
})

test('an alert that is meant for another member alone is not handed over', () => {
  const now = Date.now()
  const held = (labels: Readonly<Record<string, string>>): HeldAlert => ({
    fingerprint: JSON.stringify(labels),
    labels,
    annotations: {},
    ...{ startsAt: iso(now - MINUTE), updatedAt: iso(now), endsAt: iso(now + MINUTE) },
  })
  const peer = {
    items: [held({ alertname: 'A' }), held({ alertname: 'P', vestal: 'path', alertmanager: 'am-2' })],
    now,
  }
  expect(lacking({ items: [], now }, [peer]).map(({ labels }) => labels.alertname)).toEqual(['A'])
})
