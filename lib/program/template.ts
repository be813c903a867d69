import { readFileSync } from 'node:fs'
import ejs from 'ejs'

/**
 * A template file as a function from its data to text. Nothing is escaped: what needs quoting is quoted by who gives it.
 * `file` is relative to the module given as `base` (its `import.meta.url`).
 */
export const template = <D extends object>(base: string, file: string): ((data: D) => string) => {
  let render: ((data: D) => string) | undefined
  return (data) => {
    render ??= ejs.compile(readFileSync(new URL(file, base), 'utf8'), {
      escape: String,
      strict: true,
      localsName: 'it',
    })
    return render(data)
  }
}
