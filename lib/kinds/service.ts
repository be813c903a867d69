import { InputError } from '../errors.ts'
import { RELEASES } from '../host-paths.ts'
import type { Change, Kind, Step, Task } from '../model.ts'
import { printServices, readServices, type ServiceQuestion } from './service-probe.ts'
import {
  commandDigest,
  type FlagDefaults,
  SAME_FLAGS,
  type ServiceState,
  type ServiceWish,
  serviceState,
} from './service-state.ts'
import { adoptOrRestart, enable, reload, restart, start, stop, unmask } from './service-steps.ts'
import { watchedBy } from './service-watch.ts'

export interface ServiceOptions {
  /** The process's exact argument list; the first is the program's path as the unit has it, maybe through links. */
  readonly command: readonly string[]
  /** The real path of the binary that must run, links resolved. */
  readonly executable?: string
  /** The task that writes its unit file. */
  readonly unit: Task
  /** File and directory tasks whose content it reads at start and on reload. */
  readonly loads?: readonly Task[]
  /** File tasks whose content it reads at start only. */
  readonly restartsOn?: readonly Task[]
  /**
   * By the name of a flag, the values that mean the same as leaving it out. With it, a process that others have started from the same binary, with the
   * same flags in another form, is gone on with: it is not restarted.
   */
  readonly defaults?: FlagDefaults
  readonly enabled?: boolean
  readonly running?: boolean
  /** Whether `systemctl reload` makes it read `loads` again; otherwise it is restarted. */
  readonly reloads?: boolean
}
export interface ServiceData extends ServiceWish {
  readonly unit: string
  readonly reloads: boolean
}

export const serviceKind: Kind<ServiceState, ServiceData> = {
  name: 'service',
  summary: 'A systemd service, down to what its process runs, was started with and has loaded; no handlers are needed.',
  probe: (tasks) => printServices(tasks.map(question)),
  parse: (stdout, tasks) => {
    const { answers, disk } = readServices(stdout, tasks.map(question))
    return new Map(
      tasks.flatMap(({ key, data }, index) => {
        const answer = answers[index]
        const state = answer && serviceState(answer, data, disk)
        return state ? [[key, state]] : []
      }),
    )
  },
  converge: (change) => [...installSteps(change), ...runSteps(change)],
  explain: ({ from, to, fields }) =>
    from === null
      ? ''
      : fields
          .filter(
            (field) =>
              fields.length === 1 || from.active === to?.active || ['enabled', 'masked', 'active'].includes(field),
          )
          .map((field) => reasons(from, to ?? {})[field as keyof ReturnType<typeof reasons>])
          .join(', '),
}

/**
 * A systemd service in the state it must be in. The running process itself is compared with the tasks given here, so a change
 * of them is seen as a restart or reload of this service in the same plan. Throws InputError on a name that systemd wouldn't take.
 */
export const service = (name: string, options: ServiceOptions): Task<ServiceState, ServiceData> => {
  if (!/^[\w:.@\\-]+$/.test(name)) {
    throw new InputError([{ where: `service ${JSON.stringify(name)}`, what: 'is not a unit’s name' }])
  }
  const { command, executable, enabled = true, running = true, reloads = true } = options
  const always = { enabled, masked: false }
  return {
    kind: serviceKind,
    key: name,
    desired: running
      ? {
          ...always,
          active: 'running',
          ...(executable && { executable }),
          command: 'same',
          started: 'same',
          loaded: 'same',
        }
      : { ...always, active: 'stopped' },
    data: {
      unit: name.endsWith('.service') ? name : `${name}.service`,
      command,
      executable,
      defaults: options.defaults,
      starts: [options.unit, ...(options.restartsOn ?? [])].map(watchedBy),
      loads: (options.loads ?? []).map(watchedBy),
      reloads,
    },
  }
}

const question = ({ data }: Task<ServiceState, ServiceData>): ServiceQuestion => ({
  unit: data.unit,
  executable: data.executable,
  watched: [...data.starts, ...data.loads],
})

const installSteps = ({ task: { data }, from, to, fields }: Change<ServiceState, ServiceData>): readonly Step[] => [
  ...(from?.masked ? [unmask(data.unit)] : []),
  ...(fields.includes('enabled') && (from !== null || to?.enabled) ? [enable(data.unit, to?.enabled ?? true)] : []),
]

const runSteps = ({ task: { data }, from, to, fields }: Change<ServiceState, ServiceData>): readonly Step[] => {
  const what = {
    unit: data.unit,
    starts: data.starts.map(({ path }) => path),
    loads: data.loads.filter(({ sha256 }) => typeof sha256 === 'string').map(({ path }) => path),
  }
  const isRunning = from?.active === 'running'
  if (to?.active === 'stopped') {
    return from && fields.includes('active') ? [stop(data.unit, isRunning)] : []
  }
  if (from === null || ['stopped', 'failed'].includes(from.active)) return [start(what)]
  if (['active', 'executable', 'command', 'started'].some((field) => fields.includes(field))) {
    const { executable, command, defaults, reloads } = data
    return isRunning && executable !== undefined && defaults && isOthers(from)
      ? [adoptOrRestart(what, { executable, digest: commandDigest(command), reloads })]
      : [restart(what, isRunning)]
  }
  if (!fields.includes('loaded')) return []
  return [data.reloads ? reload(what) : restart(what, isRunning)]
}

/** Started by somebody else, with the flags that it must have. What Vestal starts runs from a release's folder. */
const isOthers = ({ command, executable }: ServiceState): boolean =>
  (command === SAME_FLAGS || command === 'same') && executable !== '' && !executable.startsWith(`${RELEASES}/`)

const reasons = (
  from: ServiceState,
  to: Partial<ServiceState>,
): Readonly<Record<Exclude<keyof ServiceState, 'since'>, string>> => ({
  enabled: from.enabled ? 'starts at boot and must not' : 'does not start at boot',
  masked: 'is masked',
  active: `is ${from.active}, not ${to.active}`,
  executable: `runs ${from.executable}, not ${to.executable}`,
  command: from.command.replace(/^differs(?=:|$)/, 'was started with other arguments'),
  started: `was not started with what is to be in ${from.started.replace('differs: ', '')}`,
  loaded: `has not loaded what is to be in ${from.loaded.replace('differs: ', '')}`,
})
