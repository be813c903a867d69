/** The two families of errors: what the operator's input caused, and what a machine or a link did. Anything else is a bug. */

/** One mistake in something the operator wrote. `where` is `file:line:col`, a flag, or a path inside a document. */
export interface Mistake {
  readonly where: string
  readonly path?: string
  readonly what: string
  readonly fix?: string
}

/** Prints one mistake on one or two lines: `where: path: what` and, indented, what to do. */
export const describeMistake = ({ where, path, what, fix }: Mistake): string =>
  `${where}: ${path ? `${path}: ` : ''}${what}${fix ? `\n  ${fix}` : ''}`

/**
 * Bad usage or input: exit code 2, and no machine has been changed. Carries every mistake found, not only the first. One that is `late` came
 * to light in a run that had changed machines already: exit code 1.
 */
export class InputError extends Error {
  override readonly name = 'InputError'
  readonly mistakes: readonly Mistake[]
  readonly late: boolean
  constructor(mistakes: readonly Mistake[], { late = false }: { readonly late?: boolean } = {}) {
    super(mistakes.map(describeMistake).join('\n'))
    this.mistakes = mistakes
    this.late = late
  }
}

/** A host, a link, a task or a gate failed: exit code 1. `host` and `task` say where; `hint` says what to do. */
export class HostError extends Error {
  override readonly name: string = 'HostError'
  readonly host: string
  readonly task?: string
  readonly hint?: string
  constructor(host: string, why: string, detail: { task?: string; hint?: string; cause?: unknown } = {}) {
    super(why, { cause: detail.cause })
    this.host = host
    this.task = detail.task
    this.hint = detail.hint
  }
}

/** The account may not become the user that is wanted. */
export class SudoError extends HostError {
  override readonly name = 'SudoError'
}

/** The link to a host was lost or could not be made. What ran on the other side is not known to have finished. */
export class LinkError extends HostError {
  override readonly name = 'LinkError'
}
