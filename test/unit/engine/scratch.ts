/** The smallest kind there can be: a file below a folder that holds a word. For tests of the engine only. */
import type { Change, Kind, Task, Upload } from '../../../lib/model.ts'
import { word } from '../../../lib/shell.ts'

interface ScratchState {
  readonly [field: string]: string
  readonly text: string
}
interface ScratchData {
  /** Its step fails, with these words where it has any of its own. */
  readonly fail?: boolean | string
  readonly interrupts?: boolean
  /** Its step says that all went well, and writes nothing. */
  readonly lies?: boolean
  /** Its step kills the script that it is in. */
  readonly kills?: boolean
  /** Nothing serves from it: there is nothing to bring back. */
  readonly quiet?: boolean
  readonly undoFails?: boolean
  readonly upload?: Upload
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
  converge: (change) => [
    {
      title: `write ${change.task.key}`,
      run: runOf(change),
      stdin: change.to?.text ?? '',
      upload: change.task.data.upload,
      undo: undoOf(change),
      restore: change.task.data.quiet ? undefined : `echo restored >>${word(`${change.task.key}.restored`)}`,
      interrupts: change.task.data.interrupts,
    },
  ],
  text: ({ key, desired }) => ({ path: key, content: desired?.text ?? '' }),
}

type ScratchChange = Change<ScratchState, ScratchData>

const runOf = ({ task: { key, data }, to }: ScratchChange): string => {
  if (data.fail) return `printf '%s\\n' ${word(data.fail === true ? 'no good' : data.fail)}; false`
  if (data.kills) return 'kill -9 $$'
  if (data.lies) return ':'
  return to ? `cat >${word(key)}` : `rm -f ${word(key)}`
}

const undoOf = ({ task: { key, data }, from }: ScratchChange): string => {
  if (data.undoFails) return 'echo stuck; false'
  return from ? `printf '%s' ${word(from.text)} >${word(key)}` : `rm -f ${word(key)}`
}

/** A file below the machine's folder, or of any path, with this text. */
export const line = (
  key: string,
  text: string,
  data: ScratchData & Pick<Task, 'tags'> = {},
): Task<ScratchState, ScratchData> => ({
  kind: scratch,
  key,
  desired: { text },
  data,
  tags: data.tags,
})

/** A file that must not be there. */
export const noLine = (key: string): Task<ScratchState, ScratchData> => ({ ...line(key, ''), desired: null })
