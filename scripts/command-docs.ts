/** Writes docs/commands.md from the command line itself; a test holds the page equal to what this returns. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const page = fileURLToPath(new URL('../docs/commands.md', import.meta.url))
const program = fileURLToPath(new URL('../cli/vestal.js', import.meta.url))
const COMMANDS = [
  'deploy',
  'plan',
  'rolling-upgrade',
  'rollback',
  'check',
  'status',
  'add-node',
  'remove-node',
  'replace-node',
  'backup',
  'restore',
  'inventory',
  'schema',
  'routes',
  'silences',
  'audit',
  'lab',
] as const

const EXAMPLES: Readonly<Record<(typeof COMMANDS)[number], string>> = {
  deploy: 'vestal deploy -i inventory/ha --limit am-1 --diff',
  plan: 'vestal plan -i inventory/ha --exit-code --json',
  'rolling-upgrade': 'vestal rolling-upgrade -i inventory/ha --prometheus 3.5.3 --alertmanager 0.33.1',
  rollback: 'vestal rollback -i inventory/ha --limit am-1',
  check: 'vestal check -i inventory/ha',
  status: 'vestal status -i inventory/ha --json',
  'add-node': 'vestal add-node am-4 -i inventory/ha --host 10.88.0.17 --role alertmanager',
  'remove-node': 'vestal remove-node am-4 -i inventory/ha',
  'replace-node': 'vestal replace-node am-3 am-5 -i inventory/ha --host 10.88.0.17',
  backup: 'vestal backup -i inventory/ha --to backups/monday',
  restore: 'vestal restore -i inventory/ha --from backups/monday --limit am-1',
  inventory: 'vestal inventory -i inventory/ha --json',
  schema: 'vestal schema > vestal.schema.json',
  routes: "vestal routes show -i inventory/ha 'namespace=payments,severity=critical'",
  silences: 'vestal silences import -i inventory/ha',
  audit: 'vestal audit',
  lab: 'vestal lab up --hosts 6',
}

const help = (command: string): string =>
  execFileSync(process.execPath, [program, command, '--help'], {
    encoding: 'utf8',
    env: { ...process.env, COLUMNS: '110', LC_ALL: 'C.UTF-8' },
  }).trimEnd()

/** The whole page as Markdown. */
export const commandPage = (): string =>
  [
    '# Commands\n\nMade from the command line itself: `npm run docs`. Exit codes: 0 done, 1 failed, 2 bad input, 3 changes pending, 130 interrupted.\n',
    ...COMMANDS.map((command) => `## ${command}\n\n    ${EXAMPLES[command]}\n\n\`\`\`text\n${help(command)}\n\`\`\`\n`),
  ].join('\n')

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, commandPage())
