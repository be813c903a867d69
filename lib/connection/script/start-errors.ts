import { HostError, SudoError } from '../../errors.ts'
import type { Heard } from './read-output.ts'

/** Words of sudo(8) in the C locale, as its sources (plugins/sudoers, src/sudo.c) have them, and what to do about each. */
const sudoWords: readonly (readonly [RegExp, string])[] = [
  [/incorrect password|no password was provided/, 'The password was wrong: check `ansible_become_password`.'],
  [
    /a password is required/,
    'Give `ansible_become_password`, or allow this account to use sudo without one (NOPASSWD).',
  ],
  [/must have a tty/, 'Take `requiretty` off in sudoers for this account: `Defaults:NAME !requiretty`.'],
  [
    /not in the sudoers|may not run sudo|is not allowed to (execute|run)/,
    'Give the account the right to run `sh` as that user in sudoers.',
  ],
  [/unknown user|unknown uid/, 'Create that user, or set `ansible_become_user` to one that exists.'],
  [/sudo.*(No such file|not found)/, 'Install sudo on the host, or log in as that user with `ansible_become: false`.'],
  [/account validation failure|expired/, 'The account or its password has expired on the host.'],
]

interface Refused extends Heard {
  readonly code: number
  /** The account asked of sudo. */
  readonly user?: string
}

/** The error for a program that ended before the bootstrap could say that it was ready, in the host's own words. */
export const refusal = (host: string, refused: Refused): HostError => {
  const words =
    `${refused.noise()}\n${refused.stderr()}`.trim().replace(/\s*\n\s*/g, '; ') ||
    `exit code ${refused.code}, and no word`
  // sudo names itself in all that it says, save one greeting.
  if (!refused.user || !/\bsudo|^Sorry|; Sorry/.test(words)) {
    return new HostError(host, `the login shell ran nothing: ${words}`, {
      hint: 'The account needs a login shell that runs commands, login scripts that do not exit, and no `ForceCommand` in sshd_config that runs something else than $SSH_ORIGINAL_COMMAND.',
    })
  }
  const hint = sudoWords.find(([pattern]) => pattern.test(words))?.[1]
  return new SudoError(host, `sudo to ${refused.user} was refused: ${words}`, { hint })
}
