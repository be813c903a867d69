import { patternOf } from '../../routing/regex/pattern.ts'
import { RegexError } from '../../routing/regex/regex-error.ts'
import type { RelabelStep } from '../../routing/relabel.ts'
import { EVERYWHERE_LABEL, HASH_LABEL } from '../hash.ts'
import { type Sharding, shardingBy, TARGET } from './sharding.ts'

/** A job as it is scraped, with fields as Prometheus's configuration has them; whoever wrote them, they may be of any type. */
export interface Scrape {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  /** Its targets, where they are known. */
  readonly targets?: readonly { readonly address: string; readonly labels: Readonly<Record<string, string>> }[]
}

/**
 * How targets of these jobs are spread by labels, and what about it can't be relied on: series that may have labels of another target. `trusted`
 * are jobs of which an operator says that theirs don't. A job with several configurations is not scraped alike by all who scrape it.
 */
export const shardingOfScrapes = (
  scrapes: readonly Scrape[],
  {
    labels,
    own,
    trusted = [],
  }: { readonly labels: readonly string[]; readonly own?: readonly string[]; readonly trusted?: readonly string[] },
): Sharding => {
  const shared = scrapes.filter((one) => writes(one, EVERYWHERE_LABEL))
  const everywhere = new Set(
    shared
      .filter((one) => isEverywhere(one) && scrapes.every((other) => other === one || !mayBeCalled(other, one.name)))
      .map(({ name }) => name),
  )
  // Then a target may have been hashed by anything.
  const hashed = scrapes.some((one) => writes(one, HASH_LABEL)) ? [HASH_LABEL] : labels
  const counted = new Set([...TARGET, ...hashed])
  const doubts = new Map<string, string>()
  const doubt = (some: Iterable<string>, why: string) => {
    for (const label of some) if (counted.has(label) && !doubts.has(label)) doubts.set(label, why)
  }
  for (const scrape of scrapes) {
    const { name, config } = scrape
    if (config.honor_labels !== undefined && config.honor_labels !== false && !trusted.includes(name))
      doubt(counted, `job ${name} has honor_labels, so that its series may name other targets`)
    if (!trusted.includes(name))
      for (const step of stepsOf(config.metric_relabel_configs))
        doubt(writtenBy(step, counted), `job ${name} relabels its metrics, so that its series may name other targets`)
  }
  for (const [both, address] of namedAlike(scrapes))
    doubt(['instance'], `targets at other addresses are called alike: ${both} (${address})`)
  const sharedJobs = shared
    .filter(({ targets }) => targets?.length !== 0)
    .map((one) => ({ wholly: everywhere.has(one.name), ...(!writes(one, 'job') && { job: one.name }) }))
  return { ...shardingBy(hashed, { doubts, everywhere, shared: sharedJobs, own }), labels }
}

const stepsOf = (steps: unknown): readonly RelabelStep[] => (Array.isArray(steps) ? (steps as RelabelStep[]) : [])

/** Whether steps may write one of these labels, or take it away. */
export const mayBeWritten = (steps: readonly RelabelStep[], labels: readonly string[]): boolean =>
  steps.some((step) => writtenBy(step, new Set(labels)).length > 0)

/** Whether a job's relabelling of its targets may write a label. */
const writes = ({ config }: Scrape, label: string): boolean => mayBeWritten(stepsOf(config.relabel_configs), [label])

/** Whether series of a job may have this name as their `job`. */
const mayBeCalled = (scrape: Scrape, name: string): boolean =>
  scrape.name === name || writes(scrape, 'job') || (scrape.targets ?? []).some(({ labels }) => labels.job === name)

/** Whether every target of a job is scraped by every shard, under the job's name. */
const isEverywhere = (scrape: Scrape): boolean =>
  stepsOf(scrape.config.relabel_configs).some(
    ({ source_labels: from = [], regex = '(.*)', replacement = '$1', target_label: to, action = 'replace' }) =>
      action === 'replace' &&
      to === EVERYWHERE_LABEL &&
      from.length === 0 &&
      regex === '(.*)' &&
      replacement !== '' &&
      !replacement.includes('$'),
  ) && !writes(scrape, 'job')

/** Those of some labels that a step may write or take away. */
const writtenBy = (
  { action = 'replace', target_label: to = '', regex = '(.*)', replacement = '$1' }: RelabelStep,
  some: ReadonlySet<string>,
): readonly string[] => {
  switch (action.toLowerCase()) {
    case 'keep':
    case 'drop':
    case 'keepequal':
    case 'dropequal':
      return []
    case 'labeldrop':
      return [...some].filter((label) => matches(regex, label) !== false)
    case 'labelkeep':
      return [...some].filter((label) => matches(regex, label) !== true)
    case 'labelmap':
      return replacement.includes('$') ? [...some] : [...some].filter((label) => label === replacement)
    default:
      return [...some].filter((label) => to.includes('$') || label === to)
  }
}

/** Undefined where the expression can't be followed here. */
const matches = (regex: string | number | boolean, text: string): boolean | undefined => {
  try {
    return patternOf(String(regex)).test(text)
  } catch (error) {
    if (error instanceof RegexError) return undefined
    throw error
  }
}

/** Known targets of one job and instance that have not one address. */
const namedAlike = (scrapes: readonly Scrape[]): readonly (readonly [string, string])[] => {
  const addresses = new Map<string, string>()
  return scrapes.flatMap(({ name, targets = [] }) =>
    targets.flatMap(({ address, labels }) => {
      const both = `${labels.job ?? name}, ${labels.instance ?? address}`
      const before = addresses.get(both) ?? address
      addresses.set(both, before)
      return before === address ? [] : [[both, `${before} and ${address}`] as const]
    }),
  )
}
