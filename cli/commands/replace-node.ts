import type { Argv } from 'yargs'
import { InputError } from '../../lib/errors.ts'
import { renameHost } from '../../lib/inventory/edit/remove-host.ts'
import { setHostVariable } from '../../lib/inventory/edit/set-variable.ts'
import type { FileEdit } from '../../lib/inventory/files.ts'
import { loadInventory } from '../../lib/inventory/load.ts'
import type { Inventory, Playbook, Role } from '../../lib/model.ts'
import { isSameMachine } from '../../lib/one-machine.ts'
import { command } from '../command.ts'
import { inLab, openContext } from '../context.ts'
import { fleetOptions } from '../fleet-options.ts'
import type { ChangeFlags } from '../options.ts'
import { runOpened } from '../run-playbook.ts'
import { requireFresh } from './add-node.ts'

interface ReplaceNodeFlags extends ChangeFlags {
  readonly old: string
  readonly new: string
  readonly host: string
}

/**
 * Puts a new machine in the place of one that is gone: the same groups and variables, another address, the name kept or new. The
 * old one is never connected to. Done again with the same words it goes on, and changes nothing once all is done.
 */
const replaceNodeCommand = async (
  flags: ReplaceNodeFlags,
  book: (roles: readonly Role[], names: readonly string[]) => Playbook,
): Promise<number> => {
  await using context = await openContext({ ...flags, limit: undefined })
  const { roles } = context.inventory
  const before = context.inventory
  const edits = editsFor(before, flags)
  const inventory = await loadInventory(flags.inventory, roles, { edits })
  const inside = await inLab(inventory.hosts)
  if (inside !== null) return inside
  const opened = context.over(inventory, inventory.hosts)
  // An instance goes where its machine goes.
  const fresh = inventory.hosts.find(({ name }) => name === flags.new)
  const names = inventory.hosts.filter((one) => fresh && isSameMachine(one, fresh)).map(({ name }) => name)
  for (const name of names) await requireFresh(opened, name)
  return await runOpened(book(roles, names), opened, flags, {
    edits,
    write: 'first',
    resumeHint: `The inventory has ${flags.new} in the place of ${flags.old}, unless no machine was changed. The same command goes on; vestal plan says what is left.`,
  })
}

const editsFor = (inventory: Inventory, flags: ReplaceNodeFlags): readonly FileEdit[] => {
  const found = (name: string) => inventory.hosts.find((host) => host.name === name)
  const [old, taken] = [found(flags.old), found(flags.new)]
  if (flags.new !== flags.old && taken) {
    if (!old && taken.link.address === flags.host) return []
    const what = `${flags.new} is in the inventory already`
    throw new InputError([{ where: flags.new, what, fix: 'choose another name; remove-node takes a machine out' }])
  }
  if (!old)
    throw new InputError([
      { where: flags.old, what: 'no host is called that', fix: 'vestal inventory lists the hosts' },
    ])
  const moved =
    old.link.address === flags.host
      ? []
      : inventory.hosts
          .filter((one) => isSameMachine(one, old))
          .reduce<readonly FileEdit[]>(
            (sofar, { name }) =>
              setHostVariable(inventory, { host: name, name: 'ansible_host', value: flags.host }, sofar),
            [],
          )
  return flags.new === flags.old ? moved : renameHost(flags.inventory, { name: flags.old, to: flags.new }, moved)
}

export default command({
  name: 'replace-node',
  positionals: '<old> <new>',
  summary: 'Put a new machine in the place of one that is gone',
  examples: ['vestal replace-node am-3 am-5 -i inventory/ha --host 10.88.0.17'],
  options: (args: Argv) =>
    fleetOptions(args)
      .positional('old', { type: 'string', demandOption: true, describe: 'The machine that is gone' })
      .positional('new', {
        type: 'string',
        demandOption: true,
        describe: 'What the new one is called; may be the same',
      })
      .option('host', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'Where the new machine is reached: an IP address or a name',
      }),
  run: replaceNodeCommand,
})
