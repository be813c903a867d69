import { memoryLimit } from '../../lib/program/memory-limit.ts'
import { sandbox } from '../../lib/program/sandbox.ts'
import { template } from '../../lib/program/template.ts'
import { USER } from './release.ts'

interface Unit {
  readonly title: string
  /** Its page below https://thanos.io/tip/components/. */
  readonly page: string
  readonly memory: string | undefined
  readonly tls?: boolean
  /** Folders that it writes to. */
  readonly writes?: readonly string[]
  /** Whether a HUP makes it read its files again. */
  readonly reloads?: boolean
  /** Units that it starts with it, and that its own stop and restart reach. */
  readonly wants?: readonly string[]
  /** The unit whose stop and restart reach this one; it starts with that alone, and not at boot. */
  readonly partOf?: string
}

const text = template<{
  user: string
  title: string
  page: string
  command: string
  limit: readonly string[]
  tls: boolean
  sandbox: readonly string[]
  reloads: boolean
  wants: string
  partOf: string
}>(import.meta.url, 'templates/thanos.service.ejs')

/** The unit of one Thanos service, as a function of its command. */
export const unitOf =
  ({ title, page, memory, tls = false, writes = [], reloads = false, wants = [], partOf = '' }: Unit) =>
  (command: string): string =>
    text({
      ...{ user: USER, title, page, command, tls, reloads, partOf },
      limit: memoryLimit(memory),
      sandbox: sandbox({ writes }),
      wants: wants.join(' '),
    })
