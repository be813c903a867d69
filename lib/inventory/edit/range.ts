/**
 * Names in a row as an inventory writes them: `am-[2:5]` where they count up by one, else one by one. Two names are not worth a range.
 */
export const compactNames = (names: readonly string[]): readonly string[] => {
  if (names.length < 3) return names
  const parts = names.map((name) => /^(.*?)(\d+)(\D*)$/s.exec(name))
  const [first] = parts
  if (!first) return names
  const [, head = '', start = '', tail = ''] = first
  const inRow = names.every((name, index) => {
    const number = String(Number(start) + index)
    const padded = start.startsWith('0') && start.length > 1 ? number.padStart(start.length, '0') : number
    return name === `${head}${padded}${tail}`
  })
  const last = parts.at(-1)?.[2] ?? ''
  const samePadding = !(start.startsWith('0') && start.length > 1) || last.length === start.length
  return inRow && samePadding ? [`${head}[${start}:${last}]${tail}`] : names
}
