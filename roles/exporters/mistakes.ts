import { didYouMean } from '../../lib/inventory/did-you-mean.ts'
import type { Scope, SettingMistake } from '../../lib/model.ts'
import { rolesOn } from '../../lib/playbook.ts'
import type { Exporter } from '../../lib/program/exporter.ts'
import { portOf } from '../../lib/program/web.ts'
import { webMistakes } from '../../lib/program/web-mistakes.ts'
import { isKnown } from './command.ts'
import { type Entry, entriesOf, exporterOf, type Settings, serviceOf, settingsOn } from './entries.ts'
import type { ExporterVars } from './vars.ts'

/** What of the exporters of a host doesn't agree with the catalogue, with each other and with the rest of the inventory. */
export const mistakesOf = (catalogue: readonly Exporter[], scope: Scope): readonly SettingMistake[] => {
  const { host, inventory } = scope
  const named = Object.entries(entriesOf(host)).map(([name, vars]) => ({
    name,
    vars,
    exporter: exporterOf(catalogue, name, vars),
  }))
  const isOurs = rolesOn(host, inventory.roles).some(({ group, of }) => group !== undefined || of !== undefined)
  const unknown = named
    .filter(({ exporter, vars }) => exporter === undefined && (isOurs || isMeant(vars)))
    .map(({ name, vars }) => unknownExporter(catalogue, name, vars.exporter))
  const known = named.flatMap(({ name, exporter, vars }) =>
    exporter && vars.enabled ? [{ entry: { name, exporter }, vars: settingsOn({ name, exporter }, host) }] : [],
  )
  const others = new Map(
    inventory.hosts.flatMap((one) =>
      Object.entries(entriesOf(one)).map(([name, vars]) => [name, { host: one.name, exporter: vars.exporter ?? name }]),
    ),
  )
  return [
    ...unknown,
    ...known.flatMap(({ entry, vars }) => {
      const other = others.get(entry.name)
      return [
        ...entryMistakes(entry, vars, scope),
        ...(other && other.exporter !== entry.exporter.name
          ? [
              {
                path: ['exporter'],
                what: `\`${entry.name}\` is ${entry.exporter.name} here, and ${other.exporter} on ${other.host}`,
                fix: 'give one of them another name',
              },
            ]
          : []),
      ].map((one): SettingMistake => ({ ...one, path: [entry.name, ...one.path] }))
    }),
    ...samePorts(known),
    ...sameReleases(known),
    ...sameJobs(known, catalogue),
  ]
}

const unknownExporter = (
  catalogue: readonly Exporter[],
  name: string,
  exporter: string | undefined,
): SettingMistake => ({
  path: exporter === undefined ? [name] : [name, 'exporter'],
  what: `no exporter is called \`${exporter ?? name}\`${didYouMean(
    exporter ?? name,
    catalogue.map((one) => one.name),
  )}`,
  fix: 'name one of docs/exporters.md, write `exporter: NAME` for an entry of another name, or add one of your own to vestal.config',
})

/** Others may have a variable of that name. */
const isMeant = ({ version, source, exporter }: ExporterVars): boolean =>
  version !== undefined || source === 'package' || exporter !== undefined

type Known = { readonly entry: Entry; readonly vars: Settings }

const entryMistakes = (entry: Entry, vars: Settings, scope: Scope): readonly SettingMistake[] => {
  const { exporter } = entry
  return [
    ...sourceMistakes(exporter, vars),
    ...configMistakes(exporter, vars),
    ...flagMistakes(exporter, vars),
    ...webMistakes({ ...scope, vars }, scope.group('prometheus')),
    ...(vars.web_config && !readsWebConfig(exporter, vars)
      ? [
          {
            path: vars.certified === undefined ? ['web_config'] : [],
            what: `${[exporter.name, vars.version].filter(Boolean).join(' ')} reads no web configuration${vars.certified === undefined ? '' : ', and so can’t be given a certificate'}`,
            fix:
              vars.certified === undefined
                ? 'leave it out'
                : `leave it in plain text, which others can read: tls: { plain: [${serviceOf(entry)}] }`,
          },
        ]
      : []),
    ...probeMistakes(exporter, vars, scope),
  ]
}

const readsWebConfig = (
  { webConfigFlag: flags = 'web.config.file', flagVersions = {} }: Exporter,
  { version }: Settings,
) => flags !== null && [flags].flat().some((flag) => isKnown(flagVersions, version, flag))

const sourceMistakes = ({ name, package: distributed }: Exporter, vars: Settings): readonly SettingMistake[] => {
  if (vars.source === 'release')
    return vars.version === undefined
      ? [
          {
            path: [],
            what: '`version` is missing',
            fix: `write \`version\`${distributed ? ', or `source: package`' : ''}`,
          },
        ]
      : []
  return distributed
    ? []
    : [
        {
          path: ['source'],
          what: `no package is known of the exporter ${name}`,
          fix: 'write `version` for a release of its project',
        },
      ]
}

const configMistakes = ({ name, config, flagVersions = {} }: Exporter, vars: Settings): readonly SettingMistake[] => {
  const both = (['config', 'config_file'] as const).filter((key) => vars[key] !== undefined)
  if (!config)
    return both.map((key) => ({
      path: [key],
      what: `${name} reads no configuration file`,
      fix: 'use extra_flags and environment',
    }))
  if (both[0] !== undefined && !isKnown(flagVersions, vars.version, config.flag))
    return [
      {
        path: [both[0]],
        what: `${name} ${vars.version} reads no configuration file`,
        fix: `choose version ${flagVersions[config.flag]?.since} or later, or leave it out`,
      },
    ]
  if (both.length > 1) return [{ path: ['config_file'], what: '`config` is given too', fix: 'leave one of them out' }]
  return config.needed && both.length === 0 && !config.default
    ? [{ path: [], what: `${name} does not start without a configuration`, fix: 'write `config` or `config_file`' }]
    : []
}

/** A flag that would show a secret in the list of processes, one that is not of this version, and one that a setting stands for. */
const flagMistakes = (exporter: Exporter, vars: Settings): readonly SettingMistake[] => {
  const { secretFlags = {}, flagVersions = {}, config, listenFlag = [], webConfigFlag } = exporter
  const settings = new Map(
    [
      ...[listenFlag].flat().map((flag) => [flag, 'listen']),
      ...[webConfigFlag ?? []].flat().map((flag) => [flag, 'web_config']),
      ...(config ? [[config.flag, 'config']] : []),
    ].map(([flag = '', setting = '']) => [flag, setting]),
  )
  return Object.entries(vars.extra_flags).flatMap(([flag, value]): readonly SettingMistake[] => {
    const path = ['extra_flags', flag]
    const instead = secretFlags[flag]
    const setting = settings.get(flag)
    if (setting !== undefined)
      return [{ path, what: `--${flag} is not for extra_flags`, fix: `write the setting \`${setting}\`` }]
    if (instead !== undefined || hasLogin(value))
      return [
        {
          path,
          what: `--${flag} would show a secret to everybody on the machine`,
          fix: instead ?? 'write it in `environment`, or where its configuration has it',
        },
      ]
    if (!isKnown(flagVersions, vars.version, flag)) {
      const { since, until } = flagVersions[flag] ?? {}
      const life = [since && `it is there since ${since}`, until && `it is gone since ${until}`]
        .filter(Boolean)
        .join(', ')
      return [
        {
          path,
          what: `${exporter.name} ${vars.version ?? ''} has no flag --${flag}: ${life}`,
          fix: 'leave it out, or choose another version',
        },
      ]
    }
    return []
  })
}

/** An address with a password in it. */
const hasLogin = (value: unknown): boolean => /:\/\/[^/@\s]*:[^/@\s]+@/.test([value].flat().join(' '))

const probeMistakes = (
  { name, probe }: Exporter,
  vars: Settings,
  { group, inventory }: Scope,
): readonly SettingMistake[] => {
  const jobs = Object.entries(vars.probes)
  if (!probe)
    return jobs.slice(0, 1).map(() => ({ path: ['probes'], what: `${name} does not probe`, fix: 'leave it out' }))
  const groups = new Set(inventory.hosts.flatMap((one) => one.groups))
  return jobs.flatMap(([job, wanted]): readonly SettingMistake[] => {
    const path = ['probes', job]
    if (probe.moduleNeeded && wanted.module === undefined)
      return [{ path, what: '`module` is missing', fix: 'name the module of the configuration that probes' }]
    if (wanted.module !== undefined && probe.module === undefined)
      return [{ path: [...path, 'module'], what: `${name} has no modules`, fix: 'leave it out' }]
    if (wanted.group !== undefined && wanted.group !== 'all' && group(wanted.group).length === 0)
      return [
        {
          path: [...path, 'group'],
          what: `no host is in a group \`${wanted.group}\`, so nothing would be probed${didYouMean(wanted.group, groups)}`,
        },
      ]
    if (wanted.targets.length === 0 && wanted.group === undefined)
      return [{ path, what: 'nothing is probed', fix: 'write `targets`, `group` or both' }]
    return unknownModule(vars, wanted.module)
      ? [
          {
            path: [...path, 'module'],
            what: `\`config\` has no module \`${wanted.module}\``,
            fix: 'name one of its modules',
          },
        ]
      : []
  })
}

/** Only where the modules stand in the inventory. */
const unknownModule = ({ config }: Settings, module: string | undefined): boolean => {
  const modules = (config as { readonly modules?: unknown } | undefined)?.modules
  return module !== undefined && typeof modules === 'object' && modules !== null && !Object.hasOwn(modules, module)
}

const twice = <T>(known: readonly Known[], what: (one: Known) => T): readonly (readonly [T, Known, Known])[] =>
  [...Map.groupBy(known, what)].flatMap(([value, [first, ...others]]) =>
    first ? others.map((other) => [value, first, other] as const) : [],
  )

const samePorts = (known: readonly Known[]): readonly SettingMistake[] =>
  twice(known, ({ vars }) => portOf(vars.listen)).map(([port, first, { entry }]) => ({
    path: [entry.name, 'listen'],
    what: `port ${port} is that of \`${first.entry.name}\` too`,
    fix: 'give one of them another `listen`',
  }))

/** One link says which version of a release is current. */
const sameReleases = (known: readonly Known[]): readonly SettingMistake[] =>
  twice(
    known.filter(({ vars }) => vars.source === 'release'),
    ({ entry }) => entry.exporter.release.name,
  )
    .filter(([, first, other]) => first.vars.version !== other.vars.version)
    .map(([release, first, { entry }]) => ({
      path: [entry.name, 'version'],
      what: `\`${first.entry.name}\` runs ${release} ${first.vars.version} on the same host`,
      fix: 'give both the same version',
    }))

const sameJobs = (known: readonly Known[], catalogue: readonly Exporter[]): readonly SettingMistake[] => {
  const jobs = new Map(catalogue.map(({ name }) => [name, 'the metrics of an exporter']))
  return known.flatMap(({ entry, vars }) =>
    Object.keys(vars.probes).flatMap((job) => {
      const before = jobs.get(job)
      jobs.set(job, `a probe of \`${entry.name}\``)
      return before === undefined
        ? []
        : [
            {
              path: [entry.name, 'probes', job],
              what: `a job \`${job}\` is there already: ${before}`,
              fix: 'rename it',
            },
          ]
    }),
  )
}
