import type { Inventory } from '../model.ts'

const hidden = new WeakMap<Inventory, unknown[]>()

/** Remembers that secrets stand in this value, which was read from beside the inventory. */
export const hide = (inventory: Inventory, value: unknown): void => {
  const known = hidden.get(inventory)
  if (known) known.push(value)
  else hidden.set(inventory, [value])
}

/** Everything from beside the inventory that may hold secrets; the list grows as files are read. */
export const hiddenOf = (inventory: Inventory): readonly unknown[] => hidden.get(inventory) ?? []
