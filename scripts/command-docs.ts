/** Writes docs/commands.md from the commands themselves; a test holds the page equal to what this returns. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { commandsFor } from '../cli/commands.ts'

const page = fileURLToPath(new URL('../docs/commands.md', import.meta.url))
const program = fileURLToPath(new URL('../cli/vestal.js', import.meta.url))

const help = (command: string): string =>
  execFileSync(process.execPath, [program, command, '--help'], {
    encoding: 'utf8',
    env: { ...process.env, COLUMNS: '110', LC_ALL: 'C.UTF-8' },
  }).trimEnd()

/** The whole page as Markdown. */
export const commandPage = async (): Promise<string> =>
  [
    '# Commands\n\nMade from the commands themselves: `npm run docs`. Exit codes: 0 done, 1 failed, 2 bad input, 3 changes pending, 130 interrupted.\n',
    ...(await commandsFor([])).map(
      ({ name, examples }) =>
        `## ${name}\n\n${examples.map((one) => `    ${one}`).join('\n')}\n\n\`\`\`text\n${help(name)}\n\`\`\`\n`,
    ),
  ].join('\n')

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, await commandPage())
