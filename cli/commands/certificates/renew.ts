import { readAuthority, rotateStep } from '../../../lib/certificates/authority.ts'
import { InputError } from '../../../lib/errors.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { certificateKind, issuedAnew } from '../../../lib/kinds/certificate.ts'
import type { Inventory, Playbook, Role } from '../../../lib/model.ts'
import { CERTIFICATES } from '../../../lib/program/certificates.ts'
import { print } from '../../../lib/report/print.ts'
import type { Context } from '../../context.ts'
import { runOpened } from '../../run-playbook.ts'
import type { CertificatesFlags } from './flags.ts'
import { trustReadAgain, withTasks } from './trust-read.ts'

export const YEAR_MS = 365 * 86_400_000

type BookOf = (roles: readonly Role[]) => Playbook

/** Issues certificates that end soon, or all; restarts those alone that don't read them again with each connection. Returns the exit code. */
export const renewCertificates = (context: Context, flags: CertificatesFlags, bookOf: BookOf): Promise<number> => {
  requireTls(context.inventory)
  const book = trustReadAgain(bookOf(context.inventory.roles))
  return runOpened(flags.all ? allAnew(book, Date.now()) : book, context, { ...flags, tags: [CERTIFICATES] }, {})
}

/**
 * Puts a new authority in the old one's place. What has been reached stands beside the inventory: each step is brought to all hosts before the next, also
 * where an earlier run had ended in between. Returns the exit code.
 */
export const rotateAuthority = async (context: Context, flags: CertificatesFlags, bookOf: BookOf): Promise<number> => {
  const { inventory } = context
  requireTls(inventory)
  if (flags.limit !== undefined)
    throw new InputError([
      {
        where: '--limit',
        what: 'an authority is every host’s',
        fix: 'Leave it out: all of them must know the new one.',
      },
    ])
  const settings = { ms: flags.years * YEAR_MS }
  let reached = readAuthority(inventory)
  if (reached?.trusted.length === 1) reached = await rotateStep(inventory, settings)
  for (;;) {
    const { trusted = [], issuing } = reached ?? {}
    if (!flags.json) print(saying(trusted, issuing))
    const now = await loadInventory(flags.inventory, inventory.roles)
    const code = await runOpened(
      trustReadAgain(bookOf(now.roles)),
      context.over(now),
      { ...flags, tags: [CERTIFICATES] },
      {
        about: { authority: { trusted, issuing } },
        resumeHint:
          'How far the rotation is stands in authority/authority.json, and every certificate is trusted meanwhile. The same command goes on.',
      },
    )
    if (code !== 0) return code
    if (trusted.length === 1) break
    reached = await rotateStep(inventory, settings)
  }
  if (!flags.json) print('Only the new authority is trusted. Commit the folder authority.')
  return 0
}

const saying = (trusted: readonly string[], issuing: string | undefined): string => {
  if (trusted.length === 1) return `Step 3 of 3: only authority ${issuing} is trusted.`
  return issuing === trusted[0]
    ? `Step 1 of 3: authority ${trusted[1]} is trusted beside ${issuing}.`
    : `Step 2 of 3: authority ${issuing} issues every certificate.`
}

/** The same playbook, to which every certificate is an old one that was issued before. */
const allAnew = (book: Playbook, since: number): Playbook =>
  withTasks(book, (task) => (task.kind.name === certificateKind.name ? issuedAnew(task, since) : task))

const requireTls = ({ hosts, name }: Inventory): void => {
  if (hosts.some(({ tls }) => tls)) return
  throw new InputError([
    { where: name, what: '`tls` is set for no host', fix: 'Set tls: true, in group_vars/all.yml for instance.' },
  ])
}
