import { posix } from 'node:path'
import { asOwner, type InTheWay, inTheWay, onlyRootsPath, onlyRootsWay, printInTheWay } from '../as-owner.ts'
import type { Change, Kind, Refusal, Step, Task } from '../model.ts'
import { word } from '../shell.ts'
import { backupPlace, noteFolderTime, restoreFolderTime } from './backup.ts'
import { absolutePath, accountName, octalMode } from './check.ts'
import { onPaths, parseStat, printStat, records, sections, setPaths } from './paths.ts'

/** `surplus` names what is in it beside `only`; symbolic links to directories count as directories. */
export type DirectoryState = Readonly<{ type: string; mode: string; owner: string; group: string; surplus: string }>
export interface DirectoryData {
  readonly only?: readonly string[]
}
export interface DirectoryOptions {
  readonly mode?: string
  readonly owner?: string
  /** Default: the owner's own group. */
  readonly group?: string
  /** The names allowed in it; any other is moved into the run's backup. */
  readonly only?: readonly string[]
}

export const directoryKind: Kind<DirectoryState, DirectoryData> = {
  name: 'directory',
  summary: 'A directory with this mode and owner, and where asked for with no other names in it than these.',
  probe: (tasks) => {
    const paths = tasks.map(({ key }) => key)
    const listed = tasks.filter(({ data }) => data.only).map(({ key }) => key)
    return `${setPaths(paths)}
${printStat(paths, true)}
printf '#\\0'
${listed.length === 0 ? ':' : `${setPaths(listed)}\n${onPaths(listNames, listed)}`}
printf '#\\0'
${printInTheWay(paths)}`
  },
  parse: (stdout, tasks) => {
    const [stats = [], found = []] = sections(records(stdout), '#')
    const byPath = parseStat(stats)
    const inside = Map.groupBy(found, (path) => posix.dirname(path))
    return new Map(
      tasks.flatMap(({ key, data }) => {
        const stat = byPath.get(key)
        if (!stat) return []
        const names = (inside.get(key) ?? []).map((path) => posix.basename(path))
        return [[key, { ...stat, surplus: surplus(names, data.only) }]]
      }),
    )
  },
  refused: (stdout, tasks) => {
    const [, , found = []] = sections(records(stdout), '#')
    const owners = new Map(tasks.map(({ key, desired }) => [key, desired?.owner ?? 'root']))
    return new Map(
      inTheWay(found)
        .filter(({ path, owner, parent }) => !isItsOwn(owners.get(path), { owner, parent }))
        .map((one) => [one.path, refusal(one)]),
    )
  },
  converge: (change) => [
    ...place(change),
    ...(change.fields.includes('surplus') && change.from ? [sweep(change)] : []),
  ],
  explain: ({ from, to, fields }) =>
    fields
      .filter(() => from !== null)
      .map((field) => {
        const name = field as keyof DirectoryState
        return name === 'surplus'
          ? `holds ${from?.surplus}, which must not be there`
          : `${name} ${from?.[name]} → ${to?.[name]}`
      })
      .join(', '),
}

/**
 * A directory, and with `only` no other names in it. Its parents are made where they are missing.
 * Throws InputError on a path that isn't absolute or a mode that isn't octal.
 */
export const directory = (path: string, options: DirectoryOptions = {}): Task<DirectoryState, DirectoryData> => {
  const { mode = '0755', owner = 'root', group = owner, only } = options
  return {
    kind: directoryKind,
    key: absolutePath(path),
    desired: {
      type: 'directory',
      mode: octalMode(mode),
      owner: accountName(owner),
      group: accountName(group),
      ...(only && { surplus: '' }),
    },
    data: { only },
  }
}

const listNames = `sh -c 'exec find -H "$@" -mindepth 1 -maxdepth 1 -printf "%p\\0"' sh`

const surplus = (names: readonly string[], only: readonly string[] | undefined): string =>
  only === undefined
    ? ''
    : names
        .filter((name) => !only.includes(name) && !/^\..*\.vestal-new$/s.test(name))
        .sort()
        .join(', ')

const place = ({ task: { key }, from, to, fields }: Change<DirectoryState, DirectoryData>): readonly Step[] => {
  const wanted = to as DirectoryState
  if (from === null) {
    return [
      {
        title: `make ${key}`,
        run: byWhoOwnsTheWay(key, wanted, {
          root: `${onlyRootsWay(key)}( umask 077; mkdir ${word(key)} ) 2>/dev/null || { umask 022; mkdir -p ${word(key)}; }\n${rootsAccess(key, wanted)}`,
          owner: (name) => `umask 077\nmkdir -p ${name}\n${ownAccess(name, wanted)}`,
        }),
        undo: `rmdir ${word(key)} || printf '%s is left, because it is not empty\\n' ${word(key)}`,
      },
    ]
  }
  if (fields.includes('type')) {
    const run = `printf 'a %s is in its place; move it away and run again\\n' ${word(from.type)} >&2\nexit 1`
    return [{ title: `make ${key}`, run }]
  }
  if (!fields.some((field) => field !== 'surplus')) return []
  const set = (access: DirectoryState): string =>
    byWhoOwnsTheWay(key, access, { root: rootsAccess(key, access), owner: (name) => ownAccess(name, access) })
  return [{ title: `set mode and owner of ${key}`, run: set(wanted), undo: set(from) }]
}

/** An account works by itself in what is its own, as `byWhoOwnsTheWay` has it. */
const isItsOwn = (account: string | undefined, { owner, parent }: Pick<InTheWay, 'owner' | 'parent'>): boolean =>
  account !== 'root' && account === parent && account === owner

const refusal = ({ path, at, owner }: InTheWay): Refusal => ({
  why: `${at} belongs to ${owner}, who could lead root elsewhere from there: root changes ${path} only where all folders on the way are its own`,
  fix: `chown root:root ${at} on the host, or name a folder below /var/lib in the role’s settings.`,
})

interface Doers {
  /** What root does where all on the way is its own. */
  readonly root: string
  /** What the account does inside of its own folder, about this name in it. */
  owner(name: string): string
}

/** An account's folder inside of one that it owns is made by itself: root would follow whatever the account had put there. */
const byWhoOwnsTheWay = (key: string, { owner }: DirectoryState, doers: Doers): string => {
  if (owner === 'root') return doers.root
  const parent = posix.dirname(key)
  return `if [ "$(stat -L -c %U ${word(parent)} 2>/dev/null)" = ${word(owner)} ]; then
${asOwner(parent, `set -eu\n${doers.owner(word(`./${posix.basename(key)}`))}`)}
else
${doers.root}
fi`
}

/** Data may live on another disk, behind a link. */
const rootsAccess = (path: string, { mode, owner, group }: DirectoryState): string =>
  `${onlyRootsPath(path)}chown -h ${word(`${owner}:${group}`)} "$real"\nchmod ${mode} "$real"`

const ownAccess = (name: string, { mode, group }: DirectoryState): string =>
  `chgrp -h ${word(group)} ${name}\nchmod ${mode} ${name}`

/** The host itself decides again what is surplus: a state's text names it for people. */
const sweep = ({ task: { key, data } }: Change<DirectoryState, DirectoryData>): Step => {
  const allowed = [...(data.only ?? []).map(word), '.*.vestal-new'].join('|')
  const each = (folder: string, run: string) => `for one in "${folder}"/* "${folder}"/.[!.]* "${folder}"/..?*; do
  [ -e "$one" ] || [ -L "$one" ] || continue
  name=\${one##*/}
  case $name in
    ${allowed}) ;;
    *) ${run} ;;
  esac
done`
  const saved = `${onlyRootsWay(`${key}/all`)}${backupPlace(key)}surplus=$runs/$VESTAL_RUN/.surplus$path\ndir=$path\nwhen=$surplus/.vestal-when\n`
  return {
    title: `clear ${key} of other files`,
    run: `${saved}rm -rf "$surplus"
mkdir -p "$surplus"
${noteFolderTime}${each('$path', 'mv -T "$one" "$surplus/$name"')}`,
    undo: `${saved}${each('$surplus', 'if [ "$name" != .vestal-when ]; then mv -T "$one" "$path/$name"; fi')}\n${restoreFolderTime}`,
  }
}
