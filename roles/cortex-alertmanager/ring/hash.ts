/** A tenant's place on the ring: 32-bit FNV-1a of its name (cortex `pkg/util/users/shard.go`, Go's `hash/fnv`). */
export const tenantHash = (tenant: string): number => {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(tenant)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
