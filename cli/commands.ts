import { type Command, withBook } from './command.ts'

/** A command with its playbook, both loaded at the same time. */
const bound = async <B>(one: Promise<{ readonly default: Command<B> }>, book: Promise<B>): Promise<Command> =>
  withBook((await one).default, await book)

/** Every command, in the order of help. Only the one that is called is loaded, with what it needs. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  deploy: () =>
    bound(
      import('./commands/deploy.ts'),
      import('../playbooks/deploy.ts').then(({ deployOf }) => deployOf),
    ),
  plan: () =>
    bound(
      import('./commands/plan.ts'),
      import('../playbooks/deploy.ts').then(({ deployOf }) => deployOf),
    ),
  run: async () => (await import('./commands/run.ts')).default,
  'rolling-upgrade': () =>
    bound(
      import('./commands/rolling-upgrade.ts'),
      import('../playbooks/rolling-upgrade.ts').then(({ rollingUpgrade }) => rollingUpgrade),
    ),
  rollback: () =>
    bound(
      import('./commands/rollback.ts'),
      import('../playbooks/rollback.ts').then(({ rollback }) => rollback),
    ),
  adopt: async () => (await import('./commands/adopt.ts')).default,
  check: async () => (await import('./commands/check.ts')).default,
  status: async () => (await import('./commands/status.ts')).default,
  inventory: async () => (await import('./commands/inventory.ts')).default,
  schema: async () => (await import('./commands/schema.ts')).default,
  routes: async () => (await import('./commands/routes/routes.ts')).default,
  silences: async () => (await import('./commands/silences.ts')).default,
  certificates: () =>
    bound(
      import('./commands/certificates/certificates.ts'),
      import('../playbooks/deploy.ts').then(({ deployOf }) => deployOf),
    ),
  tenants: async () => (await import('./commands/tenants/tenants.ts')).default,
  shards: async () => (await import('./commands/shards/shards.ts')).default,
  drill: async () => (await import('./commands/drill/drill.ts')).default,
  audit: async () => (await import('./commands/audit.ts')).default,
  explain: async () => (await import('./commands/explain.ts')).default,
  report: async () => (await import('./commands/report.ts')).default,
  'add-node': () =>
    bound(
      import('./commands/add-node.ts'),
      import('../playbooks/add-node.ts').then(({ addNode }) => addNode),
    ),
  'remove-node': () =>
    bound(
      import('./commands/remove-node.ts'),
      import('../playbooks/remove-node.ts').then(({ removeNode }) => removeNode),
    ),
  'replace-node': () =>
    bound(
      import('./commands/replace-node.ts'),
      import('../playbooks/replace-node.ts').then(({ replaceNode }) => replaceNode),
    ),
  backup: async () => (await import('./commands/backup.ts')).default,
  restore: async () => (await import('./commands/restore.ts')).default,
  lab: async () => (await import('./commands/lab.ts')).default,
}

/** The commands that a command line is about: the one that it names first, or else, as for help, all. */
export const commandsFor = (words: readonly string[]): Promise<readonly Command[]> => {
  const [first = ''] = words
  if (first === '--version') return Promise.resolve([])
  const named = Object.hasOwn(commands, first) ? commands[first] : undefined
  return Promise.all(named ? [named()] : Object.values(commands).map((load) => load()))
}
