import { memoryLimit } from '../../lib/program/memory-limit.ts'
import { template } from '../../lib/program/template.ts'

interface Unit {
  readonly title: string
  readonly user: string
  /** What it does when it is told to stop. */
  readonly stops: string
  readonly memory: string | undefined
  readonly tls: boolean
  readonly sandbox: readonly string[]
}
type Text = Omit<Unit, 'memory'> & { readonly command: string; readonly limit: readonly string[] }

const text = template<Text>(import.meta.url, 'templates/prometheus.service.ejs')

/** The unit of Prometheus, as a replica or as an agent, as a function of its command. */
export const unitOf =
  ({ memory, ...unit }: Unit) =>
  (command: string): string =>
    text({ ...unit, command, limit: memoryLimit(memory) })
