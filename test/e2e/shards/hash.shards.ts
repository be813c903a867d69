/** The hash and the steps at the end of each job, by Prometheus's own promtool: 10,000 random label sets. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import compare from 'semver/functions/compare.js'
import { expect, test } from 'vitest'
import { bucketOf } from '../../../lib/sharding/hash.ts'
import { shardSteps } from '../../../lib/sharding/scrape.ts'
import { unpacked, versionsOf } from '../roles/binaries.ts'

const COUNT = 10_000
const BY = ['a', 'b', 'c']
const SEED = Number(process.env.VESTAL_SEED ?? Date.now() % 1_000_000)

let state = SEED
const random = (): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 2 ** 32
}
/** Texts of every kind: ASCII, Latin, CJK, emoji, line ends, separators, control characters. */
const RANGES = [
  [0x20, 0x7e],
  [0xa1, 0x17f],
  [0x4e00, 0x9fff],
  [0x1f300, 0x1f5ff],
  [0x0a, 0x0d],
  [0x3b, 0x3b],
  [0x01, 0x08],
] as const
const text = (): string =>
  Array.from({ length: 1 + Math.floor(random() * 12) }, () => {
    const [from, to] = RANGES[Math.floor(random() * RANGES.length)] ?? [0x41, 0x5a]
    return String.fromCodePoint(from + Math.floor(random() * (to - from + 1)))
  }).join('')

const sets = Array.from({ length: COUNT }, (_, n): Readonly<Record<string, string>> => {
  const labels = Object.fromEntries(BY.flatMap((name) => (random() < 0.3 ? [] : [[name, text()]])))
  const own: Readonly<Record<string, string>> = random() < 0.1 ? { __tmp_hash: `${text().replaceAll(';', '')}x` } : {}
  const everywhere: Readonly<Record<string, string>> = random() < 0.05 ? { __tmp_disable_sharding: 'yes' } : {}
  return { ...labels, ...own, ...everywhere, n: String(n) }
})

interface Found {
  readonly discoveredLabels: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>> | null
}

/** That of 2.42 prints a part of so many targets only. */
const versions = versionsOf('prometheus').filter((version) => compare(version, '2.53.0') >= 0)

test.each(versions)(
  `promtool %s has the same bucket for ${COUNT} random label sets, and keeps the same (seed ${SEED})`,
  (version) => {
    const folder = mkdtempSync(join(tmpdir(), 'vestal-hash-'))
    try {
      const scraped = Array.from({ length: 1_024 }, (_, bucket) => bucket).filter((one) => one % 7 < 3 || one > 900)
      writeFileSync(
        join(folder, 'targets.json'),
        JSON.stringify(sets.map((labels) => ({ targets: ['10.0.0.1:1'], labels }))),
      )
      const file_sd_configs = [{ files: [join(folder, 'targets.json')] }]
      const hashmod = { action: 'hashmod', source_labels: BY, modulus: 1_024, target_label: 'bucket' }
      writeFileSync(
        join(folder, 'prometheus.yml'),
        JSON.stringify({
          scrape_configs: [
            { job_name: 'hashed', file_sd_configs, relabel_configs: [hashmod] },
            {
              job_name: 'kept',
              file_sd_configs,
              relabel_configs: shardSteps(BY, { buckets: 1_024, scraped }),
            },
          ],
        }),
      )
      const check = (job: string): ReadonlyMap<number, Found> => {
        const { status, stdout, stderr } = spawnSync(
          join(unpacked('prometheus', version), 'promtool'),
          ['check', 'service-discovery', '--timeout=4s', join(folder, 'prometheus.yml'), job],
          { encoding: 'utf8', maxBuffer: 2 ** 28 },
        )
        if (status !== 0) throw new Error(stderr)
        const found = JSON.parse(stdout) as readonly Found[]
        return new Map(found.map((one) => [Number(one.discoveredLabels.n), one]))
      }
      const [hashed, kept] = [check('hashed'), check('kept')]
      expect([hashed.size, kept.size]).toEqual([COUNT, COUNT])
      const plain = sets.map(({ __tmp_hash: _, __tmp_disable_sharding: __, ...labels }) => labels)
      const different = plain.flatMap((labels, n) =>
        hashed.get(n)?.labels?.bucket === String(bucketOf(labels, BY, 1_024)) ? [] : [labels],
      )
      expect(different).toEqual([])
      const owned = new Set(scraped)
      const isKept = (found: Found | undefined): boolean => Object.keys(found?.labels ?? {}).length > 0
      const otherwise = sets.flatMap((labels, n) => {
        const bucket = bucketOf(labels, BY, 1_024)
        return isKept(kept.get(n)) === (bucket === null || owned.has(bucket)) ? [] : [labels]
      })
      expect(otherwise).toEqual([])
      const count = [...kept.values()].filter(isKept).length
      console.log(`promtool ${version}: ${COUNT} of ${COUNT} buckets equal; ${count} kept by both`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
