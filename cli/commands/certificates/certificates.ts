import type { Argv } from 'yargs'
import { makeAuthority } from '../../../lib/certificates/authority.ts'
import type { Inventory, Playbook, Role } from '../../../lib/model.ts'
import { print } from '../../../lib/report/print.ts'
import { command } from '../../command.ts'
import { inLab, openContext } from '../../context.ts'
import { changeOptions } from '../../options.ts'
import type { CertificatesFlags } from './flags.ts'
import { switchGossip } from './gossip.ts'
import { renewCertificates, rotateAuthority, YEAR_MS } from './renew.ts'
import { statusOfCertificates } from './status.ts'

/** Certificates of the fleet's web servers, and the authority that issues them. */
const certificates = async (flags: CertificatesFlags, book: (roles: readonly Role[]) => Playbook): Promise<number> => {
  await using context = await openContext(flags)
  if (flags.action === 'init') return await init(context.inventory, flags)
  const inside = await inLab(context.hosts)
  if (inside !== null) return inside
  // Awaited here, so that the links stay open meanwhile.
  switch (flags.action) {
    case 'renew':
      return await renewCertificates(context, flags, book)
    case 'gossip':
      return await switchGossip(context, flags)
    case 'rotate-authority':
      return await rotateAuthority(context, flags, book)
    default:
      return await statusOfCertificates(context, flags)
  }
}

const init = async (inventory: Inventory, { years, json }: CertificatesFlags): Promise<number> => {
  const { folder, issuing } = await makeAuthority(inventory, { ms: years * YEAR_MS })
  print(
    json
      ? JSON.stringify({ vestal: 'certificates-init/1', folder, issuing, years })
      : `wrote ${folder}: the authority, valid for ${years} years, its key as a vault. Commit it; set tls: true in group_vars/all.yml; then vestal deploy turns TLS on.`,
  )
  return 0
}

export default command({
  name: 'certificates',
  positionals: '<action>',
  summary: 'TLS on web servers and of gossip: certificates, and the authority that issues them',
  examples: [
    'vestal certificates init -i inventory/ha',
    'vestal certificates status -i inventory/ha',
    'vestal certificates renew -i inventory/ha --yes',
    'vestal certificates rotate-authority -i inventory/ha --watch-alerts',
    'vestal certificates gossip -i inventory/ha --watch-alerts',
  ],
  options: (args: Argv) =>
    changeOptions(args)
      .hide('tags')
      .positional('action', {
        choices: ['init', 'status', 'renew', 'rotate-authority', 'gossip'] as const,
        demandOption: true,
        describe:
          'init: makes the authority, in a folder beside the inventory; its key is encrypted with the vault password. status: what each web server shows, until when, and whether it is trusted; exit 1 where one is not. renew: issues what ends soon; restarts nothing but instances of Cortex, one at a time. gossip: members of the Alertmanager cluster, and instances of a ring, begin to gossip as `tls: { gossip: … }` says, all at once: nobody notifies for some seconds, and nothing is lost; asks before, or wants --yes. rotate-authority: a new authority in place of the old one, in three steps, each a deploy of certificates: both are trusted, all is issued anew, the old one is trusted no more; goes on where it was interrupted',
      })
      .option('years', {
        type: 'number',
        default: 5,
        requiresArg: true,
        describe: 'For init and rotate-authority: how long the authority is valid',
      })
      .option('all', {
        type: 'boolean',
        default: false,
        describe: 'For renew: every certificate, also one that lasts long',
      })
      .option('one-by-one', {
        type: 'boolean',
        default: false,
        describe:
          'For gossip: one member after the other. Somebody notifies at any time; the cluster is split meanwhile, and much is notified twice',
      })
      .option('metrics', {
        type: 'string',
        requiresArg: true,
        describe: 'For status: write what is seen into this file too, as metrics that node_exporter reads',
      })
      .check(({ years }) => (years > 0 && years <= 30 ? true : '--years takes a number up to 30')),
  run: certificates,
})
