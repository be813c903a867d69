import pLimit from 'p-limit'
import { lookAtShown, lookAtWeb } from '../../fleet/certificates/look.ts'
import { alertmanagerRules } from '../../fleet/check/alertmanager-checks.ts'
import { certificateRules } from '../../fleet/check/certificate-checks.ts'
import { pathRules } from '../../fleet/check/path-checks.ts'
import { prometheusRules } from '../../fleet/check/prometheus-checks.ts'
import { namesToResolve, requiredPortsOf } from '../../fleet/check/required-paths.ts'
import { inventoryView } from '../../fleet/check/view-of-inventory.ts'
import { runningView } from '../../fleet/check/view-of-running.ts'
import { has } from '../../fleet/plays.ts'
import { trustedAuthorities } from '../../lib/certificates/authority.ts'
import { HostError } from '../../lib/errors.ts'
import { type Finding, findingsOf } from '../../lib/health/finding.ts'
import { type HostFacts, hostRules } from '../../lib/health/host-checks.ts'
import { tryPaths } from '../../lib/health/reachability.ts'
import { mayBeRefused, needsOf } from '../../lib/health/requirements.ts'
import { type Survey, surveyHost } from '../../lib/health/survey.ts'
import type { Host } from '../../lib/model.ts'
import { checkText } from '../../lib/report/check.ts'
import { print } from '../../lib/report/print.ts'
import { command } from '../command.ts'
import { inLab, type Opened, openContext } from '../context.ts'
import { type CommonFlags, commonOptions } from '../options.ts'

/** Every rule of `check`, in the order of its findings. */
export const checkRules = [
  ...hostRules,
  ...prometheusRules,
  ...alertmanagerRules,
  ...pathRules,
  ...certificateRules,
] as const

/** Looks at every host, at the paths between them, and at the fleet as it is and as it would be; changes nothing. Exit code 1 with errors. */
const check = async (flags: CommonFlags): Promise<number> => {
  await using context = await openContext(flags)
  const inside = await inLab(context.hosts)
  if (inside !== null) return inside
  const findings = await lookForFindings(context, flags.forks)
  const { inventory, hosts, redacted } = context
  const shown = redacted({ vestal: 'check/2', inventory: inventory.name, hosts: hosts.length, findings })
  print(flags.json ? JSON.stringify(shown, null, 2) : checkText(shown.findings, hosts.length))
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0
}

/** Everything that `check` finds on these hosts. */
export const lookForFindings = async (
  { inventory, hosts, pool: { reach } }: Pick<Opened, 'inventory' | 'hosts' | 'pool'>,
  forks: number,
): Promise<readonly Finding[]> => {
  const wanted = inventoryView(inventory)
  const names = namesToResolve(inventory)
  const limit = pLimit(forks)
  const survey = async (host: Host): Promise<HostFacts> => {
    const needs = needsOf(inventory, host)
    return {
      host,
      needs,
      survey: await surveyHost(await reach(host), needs, { names, tasks: mayBeRefused(inventory, host) }).catch(
        asHostError,
      ),
    }
  }
  const facts = await Promise.all(hosts.map((host) => limit(() => survey(host).catch((error) => lost(host, error)))))
  const surveys = new Map(
    facts.flatMap(({ host, survey: one }): [Host, Survey][] => (one instanceof Error ? [] : [[host, one]])),
  )
  const command = (host: Host, port: number) =>
    surveys.get(host)?.listeners.find((one) => one.port === port && one.unit !== '')?.command
  const [{ view: running, unread }, tries, looks, gossip] = await Promise.all([
    runningView(inventory, {
      hosts: [...surveys.keys()],
      reach,
      command,
    }),
    tryPaths(requiredPortsOf(inventory), surveys, reach),
    lookAtWeb(inventory, { hosts: [...surveys.keys()], reach }),
    lookAtShown(inventory, { hosts: [...surveys.keys()], reach }),
  ])
  const balanced = [...surveys].flatMap(([{ name: host }, { names: resolved }]) =>
    [...resolved]
      .filter(([, addresses]) => addresses.length > 1)
      .map(([name, addresses]) => ({ host, name, addresses })),
  )
  return [
    ...findingsOf(hostRules, { hosts: facts }),
    ...findingsOf([...prometheusRules, ...alertmanagerRules, ...pathRules], {
      inventory: wanted,
      running,
      unread,
      ...tries,
      balanced,
    }),
    ...findingsOf(certificateRules, {
      inventory,
      hosts: [...surveys.keys()],
      looks,
      gossip,
      authorities: trustedAuthorities(inventory),
      now: Date.now(),
    }),
    ...inventory.roles.flatMap((role) =>
      findingsOf(role.checks ?? [], { inventory, hosts: [...surveys.keys()].filter(has(role)), command }),
    ),
  ].sort((one, other) => Number(one.severity === 'warning') - Number(other.severity === 'warning'))
}

const asHostError = (error: unknown): HostError => {
  if (error instanceof HostError) return error
  throw error
}

const lost = (host: Host, error: unknown): HostFacts => ({ host, needs: {}, survey: asHostError(error) })

export default command({
  name: 'check',
  summary: 'Look for what would stop a deploy, before anything is changed',
  examples: ['vestal check -i inventory/ha'],
  options: commonOptions,
  run: check,
})
