import { describeMistake, HostError, InputError } from '../lib/errors.ts'
import { printError } from '../lib/report/print.ts'
import { counted } from '../lib/wording.ts'

/** Runs a command's work and turns what it throws into words and an exit code: 2 for input, 1 for hosts and for bugs. */
export const toExitCode = async (work: () => Promise<number>, json: boolean): Promise<number> => {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', readerIsGone)
  try {
    return await work()
  } catch (error) {
    printError(json ? JSON.stringify(failureJson(error)) : failureText(error))
    return error instanceof InputError && !error.late ? 2 : 1
  }
}

/**
 * Whoever read the output (`| head`) has left, the terminal was closed, or the disk that the output goes to is full: the work goes on unheard,
 * as it must not stop half way.
 */
const readerIsGone = (error: NodeJS.ErrnoException): void => {
  if (!['EPIPE', 'EIO', 'ENOSPC', 'EDQUOT'].includes(error.code ?? '')) throw error
}

const failureText = (error: unknown): string => {
  if (error instanceof InputError) {
    const count = counted(error.mistakes.length, 'mistake')
    const since = error.late
      ? 'found after machines had been changed; vestal audit lists the run'
      : 'no machine was touched'
    return [...error.mistakes.map(describeMistake), `${count}; ${since}.`].join('\n')
  }
  if (error instanceof HostError) {
    return `${error.host}: ${error.task ? `${error.task}: ` : ''}${error.message}${error.hint ? `\n  ${error.hint}` : ''}`
  }
  return `This is a bug in Vestal: ${error instanceof Error ? error.stack : String(error)}`
}

const failureJson = (error: unknown) => {
  if (error instanceof InputError)
    return { error: 'input', mistakes: error.mistakes, ...(error.late && { late: true }) }
  if (error instanceof HostError)
    return { error: 'host', host: error.host, task: error.task, what: error.message, fix: error.hint }
  return { error: 'bug', what: error instanceof Error ? error.stack : String(error) }
}
