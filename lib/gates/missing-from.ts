/** What is in `wanted` and not in `found`, in its order. */
export const missingFrom = (found: ReadonlySet<string>, wanted: ReadonlySet<string>): readonly string[] =>
  [...wanted].filter((one) => !found.has(one))
