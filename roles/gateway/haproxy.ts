import type { FileOptions } from '../../lib/kinds/file.ts'
import { file } from '../../lib/kinds/file.ts'
import { service } from '../../lib/kinds/service.ts'
import { unit } from '../../lib/kinds/unit.ts'
import type { Task } from '../../lib/model.ts'
import { execStart } from '../../lib/program/release.ts'
import { sandbox } from '../../lib/program/sandbox.ts'
import { template } from '../../lib/program/template.ts'
import type { Sealed } from '../../lib/secret.ts'

interface Proxy {
  readonly title: string
  /** The account that it runs as, without root. */
  readonly user: string
  readonly config: { readonly path: string; readonly text: string | Sealed }
  /** Files that it reads beside it, when it starts and when it reloads. */
  readonly reads?: readonly Task[]
  /** Whether it listens on ports below 1024. */
  readonly low?: boolean
  /** The unit that wants it: it starts, stops and restarts with that alone. */
  readonly partOf?: string
}

const unitText = template<
  Record<'name' | 'title' | 'user' | 'command' | 'config' | 'partOf', string> & { sandbox: readonly string[] }
>(import.meta.url, 'templates/haproxy.service.ejs')

const LOW = 'CAP_NET_BIND_SERVICE'
/** In a user namespace of its own, the privilege would not count outside. */
const bindsLow = sandbox({
  otherwise: { AmbientCapabilities: LOW, CapabilityBoundingSet: LOW, PrivateUsers: null },
})

/**
 * A service of the distribution's HAProxy beside any other of the machine: its configuration, checked by HAProxy itself before it is put in
 * place, its unit, and the service, which reloads. It has the folder /run/NAME.
 */
export const haproxyService = (
  name: string,
  { title, user, config, reads = [], low = false, partOf = '' }: Proxy,
): readonly Task[] => {
  const command = ['/usr/sbin/haproxy', '-Ws', '-f', config.path]
  const options: FileOptions = { mode: '0640', group: user, validate: '/usr/sbin/haproxy -c -q -f "$1"' }
  const configTask = file(config.path, config.text, options)
  const text = unitText({
    name,
    title,
    user,
    command: execStart(command),
    config: config.path,
    partOf,
    sandbox: low ? bindsLow : sandbox(),
  })
  const unitTask = unit(`${name}.service`, text)
  return [
    configTask,
    unitTask,
    service(name, { command, unit: unitTask, enabled: partOf === '', loads: [configTask, ...reads] }),
  ]
}
