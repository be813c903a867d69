import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Argv } from 'yargs'
import { type Adoption, adoptFleet } from '../../fleet/adopt/adopt.ts'
import { type Change, changesOf, isOfForm } from '../../fleet/adopt/changes.ts'
import type { Note } from '../../fleet/adopt/program.ts'
import { refuseExisting, writeAdoption } from '../../fleet/adopt/write.ts'
import { describeMistake, InputError, type Mistake } from '../../lib/errors.ts'
import { loadInventory } from '../../lib/inventory/load.ts'
import { address } from '../../lib/inventory/schema/fields.ts'
import { paint } from '../../lib/report/paint.ts'
import { onOneLine, print, shown } from '../../lib/report/print.ts'
import { counted, listed } from '../../lib/wording.ts'
import { rolesFor } from '../../roles/registry.ts'
import { command } from '../command.ts'
import { inLab, openContext } from '../context.ts'
import { type CommonFlags, commas, commonOptionsAlone, listOption } from '../options.ts'

interface AdoptFlags extends Omit<CommonFlags, 'inventory'> {
  readonly inventory?: readonly string[]
  readonly host?: readonly string[]
  readonly out: string
}

/**
 * Writes an inventory of what runs on hosts. Changes nothing on them. Exit code 1 where a host could not be looked at, or what was found makes no
 * inventory yet. Throws InputError where the folder is there already, or no host is given.
 */
const adopt = async (flags: AdoptFlags): Promise<number> => {
  refuseExisting(flags.out)
  using given = inventoryOf(flags)
  // Groups that are called as ours are need no settings yet: those are what is looked for.
  await using context = await openContext({ ...flags, inventory: given.paths }, [], [])
  const inside = await inLab(context.hosts)
  if (inside !== null) return inside
  const adoption = await adoptFleet(context.hosts, { reach: context.pool.reach, forks: flags.forks })
  const found = adoption.hosts.length > 0
  const files = found ? writeAdoption(flags.out, adoption) : []
  const { mistakes, changes } = found ? await readAgain(flags.out, adoption) : { mistakes: [], changes: [] }
  const said = { out: flags.out, files, mistakes, changes, adoption }
  if (flags.json) print(JSON.stringify(context.redacted(jsonOf(said)), null, 2))
  else for (const line of linesOf(said, flags.verbose)) print(context.redact(line))
  return found && mistakes.length === 0 && Object.keys(adoption.unreachable).length === 0 ? 0 : 1
}

interface Said {
  readonly out: string
  readonly files: readonly string[]
  readonly mistakes: readonly Mistake[]
  readonly changes: readonly Change[]
  readonly adoption: Adoption
}

/** The inventory that was given, or one of the hosts that were. It goes when it has been used. */
const inventoryOf = ({ inventory = [], host = [] }: AdoptFlags): Disposable & { readonly paths: readonly string[] } => {
  if (host.length === 0) {
    if (inventory.length > 0) return { paths: inventory, [Symbol.dispose]: () => undefined }
    throw new InputError([
      {
        where: '--inventory',
        what: 'no host is given',
        fix: 'Give an inventory of hosts with -i, or hosts with --host a,b,c.',
      },
    ])
  }
  if (inventory.length > 0)
    throw new InputError([
      { where: '--host', what: 'is given beside an inventory', fix: 'Choose hosts of an inventory with --limit.' },
    ])
  const folder = mkdtempSync(join(tmpdir(), 'vestal-adopt-'))
  const hosts = Object.fromEntries(host.map(hostGiven))
  writeFileSync(join(folder, 'hosts.yml'), stringify({ all: { hosts } }), { mode: 0o600 })
  return {
    paths: [join(folder, 'hosts.yml')],
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** `name`, `user@name` or `user@name:port`. Who logs in as another than root works by sudo. */
const hostGiven = (text: string): readonly [string, object] => {
  const [, user, bracketed, plain = bracketed ?? '', port] =
    /^(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? []
  if (!address.safeParse(plain).success)
    throw new InputError([
      {
        where: `--host ${text}`,
        what: 'is no host',
        fix: 'Write name, user@name or user@name:port; an IPv6 address with a port in brackets.',
      },
    ])
  return [
    plain,
    {
      ...(user !== undefined && { ansible_user: user, ...(user !== 'root' && { ansible_become: true }) }),
      ...(port !== undefined && { ansible_port: Number(port) }),
    },
  ]
}

/** What keeps the written inventory from being one: settings that are to be completed by hand. Else what a deploy of it will change. */
const readAgain = async (
  folder: string,
  adoption: Adoption,
): Promise<{ readonly mistakes: readonly Mistake[]; readonly changes: readonly Change[] }> => {
  try {
    const inventory = await loadInventory([folder], await rolesFor([folder]))
    return { mistakes: [], changes: changesOf(adoption, inventory) }
  } catch (error) {
    if (error instanceof InputError) return { mistakes: error.mistakes, changes: [] }
    throw error
  }
}

const jsonOf = ({ out, files, mistakes, changes, adoption: { hosts, notes, unreachable } }: Said) => ({
  vestal: 'adopt/1',
  out,
  hosts: Object.fromEntries(hosts.map(({ host, programs }) => [host.name, programs])),
  files,
  notes,
  changes,
  mistakes,
  unreachable,
})

const TITLES = {
  left: 'Not taken over',
  differs: 'Not the same on all hosts',
  look: 'To know',
} as const satisfies Record<Note['kind'], string>

const linesOf = ({ out, files, mistakes, changes, adoption }: Said, verbose: boolean): readonly string[] => {
  const shownChanges = verbose ? changes : changes.filter((one) => !isOfForm(one))
  const ofForm = changes.length - shownChanges.length
  const { hosts, notes, unreachable } = adoption
  const told = (Object.keys(TITLES) as Note['kind'][]).flatMap((kind) => {
    const some = notes.filter((note) => note.kind === kind)
    return some.length === 0 ? [] : [paint('bold', TITLES[kind]), ...some.flatMap(noteLines)]
  })
  return [
    ...hosts.flatMap(({ host, programs }) => [
      paint('bold', host.name),
      ...programs.map(({ name, version, unit }) => onOneLine(`  ${name} ${version} (${unit})`)),
    ]),
    ...Object.entries(shown(unreachable)).map(
      ([host, why]) => `${paint('red', 'not looked at')} ${host}: ${onOneLine(why)}`,
    ),
    ...told,
    ...(changes.length === 0 ? [] : [paint('bold', 'What a deploy will change'), ...shownChanges.map(changeLine)]),
    ...(ofForm === 0 ? [] : [`  and ${counted(ofForm, 'flag')} in form alone, which --verbose names`]),
    ...(files.length === 0
      ? [paint('bold', 'Nothing was found that Vestal has a role for, and nothing was written.')]
      : [
          paint('bold', `${counted(files.length, 'file')} in ${out}. Nothing was changed on the machines.`),
          ...(mistakes.length === 0
            ? [`Next: vestal plan -i ${out}`]
            : [
                paint('red', 'To be put right by hand before it is an inventory:'),
                ...mistakes.map((one) => describeMistake(shown(one))),
              ]),
        ]),
  ]
}

const noteLines = ({ host, where, what, fix }: Note): readonly string[] => [
  onOneLine(`  ${host === '' ? '' : `${host}: `}${where}: ${what}`),
  ...(fix === undefined ? [] : [onOneLine(`    ${fix}`)]),
]

const changeLine = ({ hosts, program, what, why }: Change): string =>
  onOneLine(`  ${listed(hosts)}: ${program}: ${what} (${why})`)

export default command({
  name: 'adopt',
  summary: 'Write an inventory of what runs on hosts already; changes nothing on them',
  examples: [
    'vestal adopt -i hosts.ini --out inventory/adopted',
    'vestal adopt --host prom-1,prom-2,root@am-1 --out inventory/adopted --json',
  ],
  options: (args: Argv) =>
    commonOptionsAlone(args)
      .option('host', {
        ...listOption('In place of an inventory: hosts, as name, user@name or user@name:port; commas separate'),
        coerce: commas,
      })
      .option('out', {
        type: 'string',
        requiresArg: true,
        demandOption: true,
        describe: 'The folder to write, which must not be there yet',
      }),
  run: adopt,
})
