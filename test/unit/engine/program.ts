/** A program with one config file that it loads when it is started: the smallest thing that serves. For tests of whole runs only. */
import type { Kind, Task } from '../../../lib/model.ts'
import { line } from './scratch.ts'

interface ProgramState {
  readonly [field: string]: string
  /** The text of the config that it was started with. */
  readonly loaded: string
}

const start = `echo "starting with $(cat conf)" >>log
if grep -q refused conf; then echo "error: conf is refused" >>log; echo "error: conf is refused"; exit 1; fi
cp conf loaded`

const running: Kind<ProgramState, null> = {
  name: 'program',
  summary: 'A program that runs with the config that it has loaded.',
  probe: () => `if [ -f loaded ]; then cat loaded; fi`,
  parse: (stdout, tasks) =>
    new Map(stdout.length > 0 ? tasks.map(({ key }) => [key, { loaded: stdout.toString() }]) : []),
  converge: ({ from }) => [
    {
      title: 'restart web',
      run: start,
      restore: from ? start : undefined,
      logTail: 'tail -n 3 log',
      interrupts: from !== null,
    },
  ],
}

/** The tasks of a program `web` that is to run with this config. A config with the word `refused` does not let it start. */
export const program = (config: string): readonly Task[] => [
  line('conf', config, { quiet: true }),
  { kind: running, key: 'web', desired: { loaded: config }, data: null },
]
