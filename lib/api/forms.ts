/** Forms of what web servers on hosts answer: all of it is input from a stranger. */

import { z } from 'zod'
import { urlOf } from '../url.ts'

/**
 * A list whose items are of a form. As `z.array` is, but it stops at the first item that isn't: of a long list of nonsense, each item would else be
 * an error of its own, all held at once.
 */
export const listOf = <T>(form: z.ZodType<T>) =>
  list.transform((items, context): T[] => {
    const read: T[] = []
    for (const [at, item] of items.entries()) {
      const { success, data, error } = form.safeParse(item)
      if (!success) {
        const [issue] = error.issues
        const path = [at, ...(issue?.path ?? [])]
        context.issues.push({ code: 'custom', message: issue?.message ?? 'invalid', path, input: undefined })
        return z.NEVER
      }
      read.push(data)
    }
    return read
  })

const list = z.custom<readonly unknown[]>(Array.isArray, { error: 'Invalid input: expected array' })

/** Labels, annotations and the like: texts by name. It stops at the first that is none. */
export const texts = z.custom<Readonly<Record<string, string>>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((one) => typeof one === 'string'),
  { error: 'expected texts by name' },
)

/** A time as RFC 3339 has it, such as Go's programs print. */
export const instant = z.string().refine((text) => !Number.isNaN(Date.parse(text)), { error: 'expected a time' })

/** `scheme://host:port` of a web address, and `host:port`. */
export const placeInUrl = z.string().transform((text, context) => {
  const url = urlOf(text)
  if (url) return { origin: url.origin, place: url.host }
  context.issues.push({ code: 'custom', message: 'expected a URL', input: text })
  return z.NEVER
})

/** A release's version, as its program says it: `3.5.3`, `0.33.1+ds1`. */
export const VERSION = /^\d{1,9}\.\d{1,9}\.\d{1,9}(?:-[0-9A-Za-z.-]{1,100})?(?:\+[0-9A-Za-z.-]{1,100})?$/
export const versionText = z.string().regex(VERSION, { error: 'expected a version' })
