import { type Command, withBook } from './command.ts'

/** Every command, in the order of help. Only the one that is called is loaded, with what it needs. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  deploy: async () => {
    const [{ default: one }, { deployOf }] = await Promise.all([
      import('./commands/deploy.ts'),
      import('../playbooks/deploy.ts'),
    ])
    return withBook(one, deployOf)
  },
  plan: async () => {
    const [{ default: one }, { deployOf }] = await Promise.all([
      import('./commands/plan.ts'),
      import('../playbooks/deploy.ts'),
    ])
    return withBook(one, deployOf)
  },
  run: async () => (await import('./commands/run.ts')).default,
  'rolling-upgrade': async () => {
    const [{ default: one }, { rollingUpgrade }] = await Promise.all([
      import('./commands/rolling-upgrade.ts'),
      import('../playbooks/rolling-upgrade.ts'),
    ])
    return withBook(one, rollingUpgrade)
  },
  rollback: async () => {
    const [{ default: one }, { rollback }] = await Promise.all([
      import('./commands/rollback.ts'),
      import('../playbooks/rollback.ts'),
    ])
    return withBook(one, rollback)
  },
  check: async () => (await import('./commands/check.ts')).default,
  status: async () => (await import('./commands/status.ts')).default,
  inventory: async () => (await import('./commands/inventory.ts')).default,
  schema: async () => (await import('./commands/schema.ts')).default,
  routes: async () => (await import('./commands/routes/routes.ts')).default,
  silences: async () => (await import('./commands/silences.ts')).default,
  audit: async () => (await import('./commands/audit.ts')).default,
  'add-node': async () => {
    const [{ default: one }, { addNode }] = await Promise.all([
      import('./commands/add-node.ts'),
      import('../playbooks/add-node.ts'),
    ])
    return withBook(one, addNode)
  },
  'remove-node': async () => {
    const [{ default: one }, { removeNode }] = await Promise.all([
      import('./commands/remove-node.ts'),
      import('../playbooks/remove-node.ts'),
    ])
    return withBook(one, removeNode)
  },
  'replace-node': async () => {
    const [{ default: one }, { replaceNode }] = await Promise.all([
      import('./commands/replace-node.ts'),
      import('../playbooks/replace-node.ts'),
    ])
    return withBook(one, replaceNode)
  },
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
