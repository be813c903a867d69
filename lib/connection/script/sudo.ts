import type { Link } from '../../model.ts'
import type { Secret } from '../../secret.ts'

/** The account that scripts run as, where it is not the one that logs in. */
export interface Sudo {
  readonly user: string
  readonly password?: Secret
}

/** Returns what to ask of sudo, or undefined where whoever logs in is the wanted user already. */
export const sudoFor = ({ become }: Link, login: string): Sudo | undefined =>
  become && become.user !== login ? become : undefined
