import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { InputError } from '../errors.ts'
import type { Change, Kind, Step, Task } from '../model.ts'
import { word, words } from '../shell.ts'
import { type FileState, makeFile, setAccess } from './file.ts'
import { knowsFlags } from './flags.ts'
import { parseSha256, parseStat, printSha256, printStat, records, sections, setPaths } from './paths.ts'
import { putBack, replace } from './replace.ts'

/** A file's state, and whether systemd has yet to read it (`systemctl daemon-reload`). */
export type UnitState = FileState & Readonly<{ needsReload: boolean }>
export interface UnitData {
  readonly text: string
  readonly flagsOf?: FlagsOf
}
export interface FlagsOf {
  /** The binary that the unit starts, on the host. */
  readonly binary: string
  /** The first word after it, where a program has its flags by subcommand. */
  readonly subcommand?: string
  /** Flags as the unit has them; what follows `=` is not looked at. */
  readonly flags: readonly string[]
}

const FOLDER = '/etc/systemd/system'

export const unitKind: Kind<UnitState, UnitData> = {
  name: 'unit',
  summary: 'A systemd unit file that systemd has read, whose flags its binary knows.',
  probe: (tasks) => {
    const paths = tasks.map(({ key }) => unitPath(key))
    return `${setPaths(paths)}
${printStat(paths)}
printf '#\\0'
${printSha256(paths)}
printf '#\\0'
systemctl show --property=NeedDaemonReload --value -- ${words(tasks.map(({ key }) => key))} 2>/dev/null`
  },
  parse: (stdout, tasks) => {
    const end = stdout.lastIndexOf('#\0') + 2
    const [stats = [], hashes = []] = sections(records(stdout.subarray(0, end)), '#')
    const [byPath, sha256] = [parseStat(stats), parseSha256(hashes)]
    const reload = stdout.toString('utf8', end).match(/^(yes|no)$/gm) ?? []
    return new Map(
      tasks.flatMap(({ key }, index) => {
        const stat = byPath.get(unitPath(key))
        if (!stat) return []
        return [[key, { ...stat, sha256: sha256.get(unitPath(key)) ?? '', needsReload: reload[index] !== 'no' }]]
      }),
    )
  },
  converge: (change) => {
    const { task, fields, from } = change
    return [...(from && fields.every((field) => field === 'needsReload') ? [] : [write(change)]), read(task.key)]
  },
  explain: ({ from, to, fields }) => {
    if (from === null) return ''
    if (from.type === 'symlink') return 'is masked, or a link'
    const said = { sha256: 'content', needsReload: 'systemd has not read it yet' } as Readonly<Record<string, string>>
    return fields
      .map((field) => said[field] ?? `${field} ${from[field as keyof UnitState]} → ${to?.[field as keyof UnitState]}`)
      .join(', ')
  },
  text: ({ key, data: { text } }) => ({ path: unitPath(key), content: text }),
}

/**
 * A unit file in /etc/systemd/system. With `flagsOf`, every flag must appear in `binary --help` before the unit is put in place.
 * Throws InputError on what systemd would not take as a unit's name.
 */
export const unit = (
  name: string,
  text: string,
  options: { readonly flagsOf?: FlagsOf } = {},
): Task<UnitState, UnitData> => {
  if (!/^[\w:.@\\-]+\.(service|socket|timer|target|mount|path|slice)$/.test(name)) {
    throw new InputError([
      { where: `unit ${JSON.stringify(name)}`, what: 'is not a unit’s name', fix: 'For example “prometheus.service”.' },
    ])
  }
  return {
    kind: unitKind,
    key: name,
    desired: {
      type: 'file',
      sha256: createHash('sha256').update(text).digest('hex'),
      mode: '0644',
      owner: 'root',
      group: 'root',
      needsReload: false,
    },
    data: { text, flagsOf: options.flagsOf },
  }
}

/** Where a unit of ours stands. */
export const unitPath = (name: string): string => posix.join(FOLDER, name)

const write = ({ task: { key, data }, from, to, fields }: Change<UnitState, UnitData>): Step => {
  const path = unitPath(key)
  if (from && !fields.includes('sha256') && !fields.includes('type')) {
    return {
      title: `set mode and owner of ${path}`,
      run: setAccess(path, to as UnitState),
      undo: setAccess(path, from),
    }
  }
  const check = data.flagsOf && knowsFlags(data.flagsOf.binary, data.flagsOf.flags, data.flagsOf.subcommand)
  return {
    title: `write ${path}`,
    run: replace(path, makeFile(to as UnitState, check)),
    stdin: data.text,
    undo: `${putBack(path)}systemctl daemon-reload`,
  }
}

/** systemd-analyze(1) takes too long to be asked every time; it explains only what systemd has refused. */
const read = (name: string): Step => ({
  title: `let systemd read ${name}`,
  run: `systemctl daemon-reload
state=$(systemctl show --property=LoadState --value -- ${word(name)})
case $state in
  loaded) ;;
  *)
    printf '%s is %s\\n' ${word(name)} "$state" >&2
    systemd-analyze verify ${word(unitPath(name))} >&2 || :
    exit 1
    ;;
esac`,
})
