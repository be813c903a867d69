import { createHash } from 'node:crypto'

type Labels = Readonly<Record<string, string>>

/** What the relabelling action `hashmod` hashes a text to, before the modulus: the last eight bytes of its MD5, big endian. Source: Prometheus' `model/relabel/relabel.go`. */
export const hashOf = (text: string): bigint => createHash('md5').update(text).digest().readBigUInt64BE(8)

/** `hashmod`: a text's bucket, from 0 to `modulus` − 1. `modulus` is a whole number from 1. */
export const hashmod = (text: string, modulus: number): number => Number(hashOf(text) % BigInt(modulus))

/** What a target is hashed by: the values of these labels, joined by `;`, a missing one as nothing. */
export const hashedText = (labels: Labels, by: readonly string[]): string =>
  by.map((name) => labels[name] ?? '').join(';')

/** The labels with which a target says where it goes; they mean what they mean in the Prometheus Operator (`pkg/prometheus/promcfg.go`). */
export const HASH_LABEL = '__tmp_hash'
export const EVERYWHERE_LABEL = '__tmp_disable_sharding'

/**
 * The bucket of a target whose labels, after all other relabelling, are these. A `__tmp_hash` that a target brings is hashed in place of the
 * chosen labels. null where `__tmp_disable_sharding` has any value: every shard scrapes it.
 */
export const bucketOf = (labels: Labels, by: readonly string[], buckets: number): number | null =>
  labels[EVERYWHERE_LABEL] ? null : hashmod(labels[HASH_LABEL] || hashedText(labels, by), buckets)
