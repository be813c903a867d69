import { byteCount } from '../inventory/schema/fields.ts'

/**
 * Lines of a unit's [Service] section that limit its memory; none without a limit. Go is told of nine tenths of it, so that its
 * garbage collector works harder before the kernel steps in (`GOMEMLIMIT`, Go 1.19 and later).
 */
export const memoryLimit = (max: string | undefined): readonly string[] => {
  if (max === undefined) return []
  const limit = byteCount(max)
  return [`MemoryMax=${limit}`, `Environment=GOMEMLIMIT=${Math.floor(limit * 0.9)}`]
}
