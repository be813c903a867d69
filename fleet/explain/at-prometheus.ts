import type { Labels, Matcher } from '../../lib/routing/matcher.ts'
import { meetsAll } from '../../lib/routing/matcher.ts'
import { sentAs } from '../../lib/routing/replay.ts'
import { understood } from '../../lib/understood.ts'
import type { Cause, Facts, PrometheusFacts } from './facts.ts'

/** An alert that a rule makes. */
export interface Made {
  readonly host: string
  readonly labels: Labels
  readonly state: string
  readonly activeAt?: string
  /** In seconds. */
  readonly pendingFor: number
  /** As it goes to Alertmanager; null where relabelling drops it. */
  readonly sent: Labels | null
}

/** All alerts of a Prometheus, pending ones too. */
export const madeBy = (one: PrometheusFacts): readonly Made[] =>
  one.groups.flatMap(({ rules }) =>
    rules.flatMap(({ duration = 0, alerts }) =>
      (alerts ?? []).map(({ labels, state, activeAt }) => ({
        host: one.host,
        labels,
        state,
        pendingFor: duration,
        sent: understood(one.host, 'its relabelling', () => sentAs(labels, one)),
        ...(activeAt !== undefined && { activeAt }),
      })),
    ),
  )

/** Why no such alert fires. */
export const causesAtPrometheus = (
  matchers: readonly Matcher[],
  { wanted, facts }: { readonly wanted: readonly Made[]; readonly facts: Facts },
): readonly Cause[] => {
  const silent = facts.silent.filter(({ service }) => service === 'prometheus')
  if (facts.prometheus.length === 0)
    return [
      nobody(
        'prometheus-silent',
        `no Prometheus answers: ${silent.map(({ host, why }) => `${host}: ${why}`).join('; ') || 'there is none among these hosts'}`,
        'Ask vestal status.',
      ),
    ]
  const pending = wanted.filter(({ state }) => state === 'pending')
  if (pending.length > 0)
    return pending
      .slice(0, 10)
      .map(({ host, activeAt, pendingFor }) =>
        nobody(
          'pending',
          `${host}: its condition holds since ${activeAt ?? '?'}, and it fires after ${pendingFor} s`,
          'Wait, or shorten `for`.',
        ),
      )
  const rules = facts.prometheus.flatMap(({ host, groups }) =>
    groups.flatMap(({ name, rules }) => rules.map((rule) => ({ ...rule, host, group: name }))),
  )
  const named = rules.filter(
    ({ type, name, labels }) => type === 'alerting' && couldMake(matchers, { ...labels, alertname: name }),
  )
  if (named.length === 0) {
    const stale = facts.prometheus.find(({ reloaded }) => !reloaded)
    if (stale)
      return [
        nobody(
          'prometheus-old-config',
          `${stale.host} has refused its last config and runs an older one, without such a rule`,
          'Mend the config: vestal check.',
        ),
      ]
    return [
      nobody('no-rule', 'no Prometheus has an alerting rule that could make it', 'Look for the rule: vestal plan.'),
    ]
  }
  const broken = named.filter(({ health }) => health === 'err')
  if (broken.length > 0)
    return broken
      .slice(0, 10)
      .map(({ host, group, lastError }) =>
        nobody('rule-fails', `${host}: its rule in ${group} fails: ${lastError ?? '?'}`, 'Mend its expression.'),
      )
  if (named.some(({ health }) => health === 'unknown'))
    return [nobody('not-evaluated', 'its rule was not evaluated yet', 'Wait for the interval of its group.')]
  return [
    nobody(
      'inactive',
      `its condition does not hold now: ${named[0]?.query}`,
      'Query it, and look whether its series are scraped at all.',
    ),
  ]
}

/** Whether a rule with these labels could make an alert that is asked for: labels that it does not set come from its series. */
const couldMake = (matchers: readonly Matcher[], labels: Labels): boolean =>
  meetsAll(
    labels,
    matchers.filter(({ name }) => Object.hasOwn(labels, name) && !labels[name]?.includes('{{')),
  )

export const nobody = (id: string, what: string, fix: string): Cause => ({ id, effect: 'nobody', what, fix })
