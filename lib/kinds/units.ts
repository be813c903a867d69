import { posix } from 'node:path'
import { InputError } from '../errors.ts'
import { currentOf, versionsOf } from '../host-paths.ts'
import type { Kind, Step, Task } from '../model.ts'
import { word } from '../shell.ts'
import { moveBack, remove } from './replace.ts'
import { unitPath } from './unit.ts'

/** `surplus` names units of the sort that must not be there; `owns` says what goes with each: `UNIT RELEASE BINARY`, between semicolons. */
export type UnitsState = Readonly<{ surplus: string; owns: string }>
export interface UnitsData {
  readonly only: readonly string[]
  readonly releases: readonly string[]
}

/** What a unit says of itself, in lines that systemd passes over: systemd.unit(5) has names that begin with `X-` for that. */
const MARK = 'X-Vestal'

/** Lines of a unit's [Unit] section by which `onlyUnits` knows it, and with it the release and the binary that it runs. */
export const unitMarks = (
  sort: string,
  runs?: { readonly release: string; readonly binary: string },
): readonly string[] => [
  `${MARK}=${plain(sort)}`,
  ...(runs ? [`${MARK}-Release=${plain(runs.release)}`, `${MARK}-Binary=${plain(runs.binary)}`] : []),
]

export const unitsKind: Kind<UnitsState, UnitsData> = {
  name: 'units',
  summary:
    'Units of one sort, and no others: what is surplus is stopped and taken away, with its files and its release.',
  probe: (tasks) => tasks.map(({ key }) => printUnits(key)).join('\n'),
  parse: (stdout, tasks) => {
    const lines = stdout
      .toString()
      .split('\n')
      .map((line) => line.split(' '))
    return new Map(
      tasks.map(({ key, data }) => {
        const surplus = lines
          .filter(([sort, name = '']) => sort === key && isPlain(name) && !data.only.includes(name))
          .sort(([, a = ''], [, b = '']) => (a < b ? -1 : 1))
        const owns = surplus.map(([, ...words]) => words.join(' ')).join(';')
        return [key, { surplus: surplus.map(([, name]) => name).join(', '), owns }]
      }),
    )
  },
  converge: ({ from, task: { data } }) =>
    (from?.owns ?? '')
      .split(';')
      .map((one) => one.split(' '))
      .flatMap(([name = '', release = '', binary = '']) => takeAway({ name, release, binary }, data)),
  explain: ({ from }) => (from === null ? '' : `${from.surplus} must not be there any more`),
}

/** Of the units with this mark, these and no others; their releases stay. Throws InputError on what is no plain name. */
export const onlyUnits = (sort: string, { only, releases }: UnitsData): Task<UnitsState, UnitsData> => ({
  kind: unitsKind,
  key: plain(sort),
  desired: { surplus: '' },
  data: { only: only.map(plain), releases },
})

const isPlain = (name: string): boolean => /^[A-Za-z0-9][\w.+-]*$/.test(name)
const plain = (name: string): string => {
  if (isPlain(name)) return name
  throw new InputError([{ where: `unit ${JSON.stringify(name)}`, what: 'is not a plain name' }])
}

/** Shell that prints a line for each unit with this mark: the mark, its name, and its release and binary where it has some. */
const printUnits = (
  sort: string,
): string => `grep -lxF -- ${word(`${MARK}=${sort}`)} ${unitPath('*.service')} 2>/dev/null |
  while IFS= read -r file; do
    name=\${file##*/}
    printf '%s %s %s\\n' ${word(sort)} "\${name%.service}" "$(sed -n 's/^${MARK}-\\(Release\\|Binary\\)=//p' "$file" | head -n 2 | tr '\\n' ' ')"
  done`

interface Surplus {
  readonly name: string
  readonly release: string
  readonly binary: string
}

const takeAway = ({ name, release, binary }: Surplus, { releases }: UnitsData): readonly Step[] => {
  if (!isPlain(name)) return []
  const unit = word(`${name}.service`)
  const paths = [
    unitPath(`${name}.service`),
    `/etc/${name}`,
    ...(isPlain(release) && isPlain(binary) && !releases.includes(release)
      ? [posix.join('/usr/local/bin', binary), versionsOf(release)]
      : []),
  ]
  const [, , link = '', folder = ''] = paths
  return [
    {
      title: `stop ${name}`,
      run: `systemctl disable --now --quiet -- ${unit}\nsystemctl reset-failed -- ${unit} 2>/dev/null || :`,
      undo: `systemctl enable --quiet -- ${unit}`,
      restore: `systemctl start -- ${unit}`,
    },
    {
      title: `take away ${name}: ${paths.join(', ')}`,
      run: `${paths.slice(0, 2).map(remove).join('\n')}
systemctl daemon-reload
${link === '' ? '' : whereUnused({ link, folder, release }, `${remove(link)}\n${remove(folder)}`)}`,
      undo: `${paths.toReversed().map(moveBack).join('\n')}\nsystemctl daemon-reload`,
    },
  ]
}

/** Nothing is taken from a process that still runs it, nor a binary that is another's. */
const whereUnused = (
  { link, folder, release }: { readonly link: string; readonly folder: string; readonly release: string },
  run: string,
): string => `if find /proc/[0-9]*/exe -maxdepth 0 -lname ${word(`${folder}/*`)} 2>/dev/null | grep -q .; then
  printf '%s is left: a process runs it\\n' ${word(folder)}
else
  case "$(readlink ${word(link)} || :)" in
    ${word(currentOf(release))}/*)
${run}
    ;;
  esac
fi`
