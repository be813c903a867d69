/** What is wrong with a regular expression; `unsupported` where it is right but can't be followed here. */
export class RegexError extends Error {
  override readonly name = 'RegexError'
  readonly unsupported: boolean
  constructor(message: string, unsupported = false) {
    super(message)
    this.unsupported = unsupported
  }
}
