import { describeMistake, HostError, InputError } from '../lib/errors.ts'

/** Runs a command's work and turns what it throws into words and an exit code: 2 for input, 1 for hosts and for bugs. */
export const toExitCode = async (work: () => Promise<number>, json: boolean): Promise<number> => {
  process.stdout.on('error', readerIsGone)
  try {
    return await work()
  } catch (error) {
    process.stderr.write(`${json ? JSON.stringify(failureJson(error)) : failureText(error)}\n`)
    return error instanceof InputError ? 2 : 1
  }
}

/** Whoever read the output (`| head`) has left: the work goes on unheard, as it must not stop half way. */
const readerIsGone = (error: NodeJS.ErrnoException): void => {
  if (error.code !== 'EPIPE') throw error
}

const failureText = (error: unknown): string => {
  if (error instanceof InputError) {
    const count = error.mistakes.length
    return [
      ...error.mistakes.map(describeMistake),
      `${count} ${count === 1 ? 'mistake' : 'mistakes'}; no machine was touched.`,
    ].join('\n')
  }
  if (error instanceof HostError) {
    return `${error.host}: ${error.task ? `${error.task}: ` : ''}${error.message}${error.hint ? `\n  ${error.hint}` : ''}`
  }
  return `This is a bug in Vestal: ${error instanceof Error ? error.stack : String(error)}`
}

const failureJson = (error: unknown) => {
  if (error instanceof InputError) return { error: 'input', mistakes: error.mistakes }
  if (error instanceof HostError)
    return { error: 'host', host: error.host, task: error.task, what: error.message, fix: error.hint }
  return { error: 'bug', what: error instanceof Error ? error.stack : String(error) }
}
