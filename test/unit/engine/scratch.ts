/** The smallest kind there can be: a file below a folder that holds a word. For tests of the engine only. */
import type { Kind, Task } from '../../../lib/model.ts'
import { word } from '../../../lib/shell.ts'

interface ScratchState {
  readonly [field: string]: string
  readonly text: string
}
interface ScratchData {
  readonly fail?: boolean
  readonly interrupts?: boolean
}
export const scratch: Kind<ScratchState, ScratchData> = {
  name: 'scratch',
  summary: 'A file that holds one line.',
  probe: (tasks) =>
    tasks
      .map(({ key }) => `if [ -f ${word(key)} ]; then printf '%s\\0' ${word(key)} "$(cat ${word(key)})"; fi`)
      .join('\n'),
  parse(stdout) {
    const fields = stdout.toString().split('\0')
    return new Map(
      Array.from({ length: Math.floor(fields.length / 2) }, (_, index) => [
        fields[2 * index] ?? '',
        { text: fields[2 * index + 1] ?? '' },
      ]),
    )
  },
  converge: ({ task, from, to }) => [
    {
      title: `write ${task.key}`,
      run: `${task.data.fail ? 'echo no good; false\n' : ''}cat >${word(task.key)}`,
      stdin: to?.text ?? '',
      undo: from ? `printf '%s' ${word(from.text)} >${word(task.key)}` : `rm -f ${word(task.key)}`,
      restore: `echo restored >>${word(`${task.key}.restored`)}`,
      interrupts: task.data.interrupts,
    },
  ],
}
export const line = (key: string, text: string, data: ScratchData = {}): Task<ScratchState, ScratchData> => ({
  kind: scratch,
  key,
  desired: { text },
  data,
})
