import { ask, refused } from '../../lib/api/endpoint.ts'
import { httpGate } from '../../lib/gates/http.ts'
import { seriesOf } from '../../lib/gates/series.ts'
import { RELEASES } from '../../lib/host-paths.ts'
import { byteCount } from '../../lib/inventory/schema/fields.ts'
import { directory } from '../../lib/kinds/directory.ts'
import { masked } from '../../lib/kinds/masked.ts'
import { packages } from '../../lib/kinds/packages.ts'
import { service } from '../../lib/kinds/service.ts'
import { unit } from '../../lib/kinds/unit.ts'
import { unitMarks } from '../../lib/kinds/units.ts'
import { systemUser } from '../../lib/kinds/user.ts'
import type { Gate, HttpAnswer, Instance, ProgramStatus, Reach, Role, Scope, Task } from '../../lib/model.ts'
import type { Exporter } from '../../lib/program/exporter.ts'
import { memoryLimit } from '../../lib/program/memory-limit.ts'
import { execStart, staged, switched } from '../../lib/program/release.ts'
import { handOver, until } from '../../lib/program/replaces.ts'
import { sandbox } from '../../lib/program/sandbox.ts'
import { template } from '../../lib/program/template.ts'
import { endpointOf, hasTls, portOf, scrapeOf } from '../../lib/program/web.ts'
import { role } from '../../lib/role.ts'
import { commandOf, currentLink } from './command.ts'
import { type Entry, isEnabled, type Settings, serviceOf, settingsOn, userOf, webOf } from './entries.ts'
import { filesOf } from './files.ts'
import { probeJobs } from './probes.ts'
import { exporterVars, KEY } from './vars.ts'

/** The sort of unit that an exporter's is: what is surplus of it is taken away. */
export const SORT = 'exporter'

const unitText = template<{
  title: string
  docs: string
  marks: readonly string[]
  user: string
  command: string
  environment: string
  reloads: boolean
  tls: boolean
  limit: readonly string[]
  sandbox: readonly string[]
}>(import.meta.url, 'templates/exporter.service.ejs')

/** A role made of data: one entry of `exporters`, for the hosts that have it. `alerts` are told by one entry of each exporter. */
export const roleOf = (entry: Entry, { alerts }: { readonly alerts: boolean }): Role<Settings> => {
  const { name, exporter } = entry
  const title = serviceOf(entry)
  return {
    ...role<Settings>({
      name: title,
      key: `${KEY}.${name}`,
      of: KEY,
      summary: exporter.summary,
      on: (host) => isEnabled(entry, host),
      vars: exporterVars as unknown as Role<Settings>['vars'],
      service: title,
      release: exporter.release,
      web: webOf(entry),
      ...(alerts && exporter.alerts && { alerts: { name: exporter.name, file: exporter.alerts } }),

      tasks: (scope) => tasksOf(entry, scope),
      healthy: (scope) => [showsMetrics(entry, scope)],
      serves: (scope) => [showsMetrics(entry, scope)],
      instance: (scope) => instanceOf(entry, scope),
      scrape: ({ host, vars, inventory }) => [
        {
          job: exporter.name,
          port: portOf(vars.listen),
          labels: { ...scrapeOf(exporter.name, vars).labels, ...vars.labels },
          config: {
            ...(exporter.metricsPath !== undefined && { metrics_path: exporter.metricsPath }),
            ...exporter.scrapeConfig,
            ...scrapeOf(exporter.name, vars).config,
            ...vars.scrape_config,
          },
        },
        ...probeJobs(exporter, vars, { host, inventory }),
      ],
      needs: ({ vars }) => ({
        ports: [{ port: portOf(vars.listen), protocol: 'tcp' as const }, ...(exporter.alsoListens ?? [])].map(
          (one) => ({
            ...one,
            unit: `${title}.service`,
            ...until(vars.replaces),
          }),
        ),
        folders: vars.source === 'release' ? [RELEASES] : [],
        memoryBytes: vars.memory_max ? byteCount(vars.memory_max) : undefined,
      }),
    }),
    varsOf: (host) => settingsOn(entry, host),
  }
}

const tasksOf = (entry: Entry, { host, vars, inventory }: Scope<Settings>): readonly Task[] => {
  const { exporter } = entry
  const name = serviceOf(entry)
  const user = userOf(exporter)
  const files = filesOf(entry, vars, { inventory, host })
  const command = commandOf(exporter, vars, { config: files.config?.key, webConfig: files.webConfig?.key })
  const reloads = exporter.config?.reloads ?? false
  const text = unitText({
    title: exporter.summary,
    docs: `https://github.com/${exporter.release.owner}/${exporter.release.repo}`,
    marks: unitMarks(SORT, vars.source === 'release' ? runsOf(exporter) : undefined),
    user,
    command: execStart(command.words),
    environment: files.environment?.key ?? '',
    reloads,
    tls: hasTls(vars),
    limit: memoryLimit(vars.memory_max),
    sandbox: sandbox({
      ...exporter.sandbox,
      writes: [...(exporter.sandbox?.writes ?? []), ...(exporter.folders ?? [])],
    }),
  })
  const unitTask = unit(`${name}.service`, text, {
    flagsOf: { binary: command.executable, flags: command.flags },
  })
  const config = files.config ? [files.config] : []
  const startsWith = [files.webConfig, files.environment].flatMap((one) => one ?? [])
  return [
    ...(user === 'root' ? [] : [systemUser(user)]),
    ...(exporter.packages ? [packages(exporter.packages)] : []),
    ...programOf(entry, vars, host),
    ...(exporter.folders ?? []).map((path) => directory(path, { mode: '0750', owner: user })),
    ...files.tasks,
    ...(vars.source === 'release' && vars.version !== undefined ? switched(exporter.release, vars.version) : []),
    ...handOver(vars.replaces, { service: name, account: user }),
    unitTask,
    service(name, {
      command: command.words,
      executable: command.executable,
      unit: unitTask,
      loads: reloads ? config : [],
      restartsOn: reloads ? startsWith : [...config, ...startsWith],
      reloads,
    }),
  ]
}

const runsOf = ({ release }: Exporter) => ({ release: release.name, binary: release.binaries[0] ?? release.name })

/** Its binary; of a package only that, as its own unit would run beside ours. */
const programOf = (entry: Entry, { source, version }: Settings, host: Scope['host']): readonly Task[] => {
  const { package: distributed, release } = entry.exporter
  if (source === 'release') return version === undefined ? [] : [staged(release, version, host)]
  if (!distributed) return []
  const { name, unit: own = name } = distributed
  // One that is called as ours is stands behind ours.
  return [...(own === serviceOf(entry) ? [] : [masked(`${own}.service`)]), packages([name])]
}

/** A page of metrics has at least one comment line with a name, whatever it is asked about. */
const showsMetrics = (entry: Entry, { host, vars }: Pick<Scope<Settings>, 'host' | 'vars'>): Gate =>
  httpGate(`${serviceOf(entry)} shows metrics`, endpointOf(host, vars), {
    path: pathOf(entry),
    expect: ({ status, body }: HttpAnswer) => {
      if (status !== 200) return `it answers ${status}`
      return /^# (HELP|TYPE) /m.test(body) ? null : 'what it answers are no metrics'
    },
  })

const pathOf = ({ exporter }: Entry): string => exporter.metricsPath ?? '/metrics'

const instanceOf = (entry: Entry, { host, vars }: Scope<Settings>): Instance => {
  const { exporter } = entry
  const { up } = exporter
  return {
    service: `service ${serviceOf(entry)}`,
    ...(vars.source === 'release' && { current: currentLink(exporter) }),
    ...(up !== undefined && { status: (reach) => behind(reach, up) }),
  }

  async function behind(reach: Reach, metric: string): Promise<ProgramStatus> {
    const endpoint = endpointOf(host, vars)
    const answer = await ask(reach, endpoint, pathOf(entry))
    if (answer.status !== 200) throw refused(endpoint, pathOf(entry), answer)
    const values = seriesOf(answer.body, metric)
    const serving = values.filter((value) => value === 1).length
    return { ready: true, ...(values.length > 0 && { shows: { behind: `${serving}/${values.length}` } }) }
  }
}
