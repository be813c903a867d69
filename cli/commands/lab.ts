import type { Argv } from 'yargs'
import { InputError } from '../../lib/errors.ts'
import { labDown, labList, labUp } from '../../lib/lab/lab.ts'
import { clearNotifications, labNotifications } from '../../lib/lab/receiver.ts'
import { labExec, labSsh } from '../../lib/lab/ssh.ts'
import { print, printError, printPart } from '../../lib/report/print.ts'
import { command } from '../command.ts'
import { givenCommas, listOption, NONE } from '../options.ts'

interface LabFlags {
  readonly action: string
  readonly words?: readonly string[]
  /** What stands behind `--` (yargs' populate--). */
  readonly '--'?: unknown
  readonly name: string
  readonly hosts: number
  readonly system: readonly string[]
  readonly clear: boolean
  readonly json: boolean
}

/** `vestal lab up|down|list|ssh|exec|notifications`. */
const lab = async (flags: LabFlags): Promise<number> => {
  switch (flags.action) {
    case 'up': {
      const made = await labUp({
        name: flags.name,
        hosts: flags.hosts,
        systems: systemsOf(flags.system),
        onProgress: printError,
      })
      print(
        flags.json
          ? JSON.stringify(made, null, 2)
          : made.hosts.map(({ name, address }) => `${name} ${address}`).join('\n'),
      )
      return 0
    }
    case 'down': {
      const was = await labDown(flags.name)
      print(
        flags.json
          ? JSON.stringify({ name: flags.name, was })
          : was
            ? `lab '${flags.name}' is down`
            : `lab '${flags.name}' was not up`,
      )
      return 0
    }
    case 'list':
      return list(flags)
    case 'notifications':
      return notifications(flags)
    default:
      return onHost(flags)
  }
}

const list = ({ json }: LabFlags): number => {
  const labs = labList()
  if (json) print(JSON.stringify(labs, null, 2))
  else
    for (const { name, hosts } of labs)
      for (const host of hosts) print(`${name} ${host.name} ${host.address} ${host.power} ${host.system}`.trimEnd())
  return 0
}

/** `lab-2=bullseye` says what a host is made of. Throws InputError for any other text. */
const systemsOf = (texts: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    texts.map((text) => {
      const [, host, system] = /^([^=]+)=([^=]+)$/.exec(text) ?? []
      if (host !== undefined && system !== undefined) return [host, system]
      throw new InputError([
        {
          where: '--system',
          what: `'${text}' is not HOST=SYSTEM`,
          fix: 'For example lab-2=bullseye, lab-3=trixie-arm64.',
        },
      ])
    }),
  )

const notifications = ({ name, clear, json }: LabFlags): number => {
  const received = labNotifications(name)
  for (const one of received) print(json ? JSON.stringify(one) : `${one.at} ${one.path} ${summary(one.body)}`)
  if (clear) clearNotifications(name)
  return 0
}

const summary = (body: unknown): string => {
  const { status, alerts } = (body ?? {}) as { status?: string; alerts?: { labels?: Record<string, string> }[] }
  return `${status ?? '?'} ${(alerts ?? []).map(({ labels }) => labels?.alertname ?? '?').join(', ')}`
}

const onHost = async (flags: LabFlags): Promise<number> => {
  const [host, ...command] = [...(flags.words ?? []), ...((flags['--'] as readonly string[] | undefined) ?? [])]
  if (!host)
    throw new InputError([
      {
        where: `vestal lab ${flags.action}`,
        what: 'which host?',
        fix: 'Name it as `vestal lab list` does: vestal lab ssh lab-1',
      },
    ])
  if (flags.action === 'ssh') return labSsh(host, command, { lab: flags.name })
  if (command.length === 0)
    throw new InputError([
      {
        where: 'vestal lab exec',
        what: 'what shall run there?',
        fix: 'vestal lab exec lab-1 -- systemctl status prometheus',
      },
    ])
  const { code, stdout, stderr } = await labExec(host, command.join(' '), { lab: flags.name })
  printPart(stdout)
  printPart(stderr, 'stderr')
  return code
}

export default command({
  name: 'lab',
  positionals: '<action> [words..]',
  summary: 'Real machines on this one, to try things on',
  examples: ['vestal lab up --hosts 6', 'vestal lab up --hosts 3 --system lab-2=bullseye,lab-3=trixie-arm64'],
  options: (args: Argv) =>
    args
      .positional('action', {
        choices: ['up', 'down', 'list', 'ssh', 'exec', 'notifications'] as const,
        demandOption: true,
      })
      .positional('words', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'ssh HOST, exec HOST -- COMMAND',
      })
      .option('name', { type: 'string', default: 'default', requiresArg: true, describe: 'Which lab' })
      .option('hosts', { type: 'number', default: 6, requiresArg: true, describe: 'How many machines `up` makes' })
      .option('system', {
        ...listOption(
          'HOST=DEBIAN or HOST=DEBIAN-arm64: what a machine is made of that is not the usual; commas separate',
        ),
        default: NONE,
        coerce: givenCommas,
      })
      .option('clear', { type: 'boolean', default: false, describe: 'Forget the notifications received so far' })
      .option('json', { type: 'boolean', default: false, describe: 'Output for programs' }),
  run: lab,
})
