import { z } from 'zod'
import { askJson, type Endpoint } from '../../lib/api/endpoint.ts'
import { instant, listOf } from '../../lib/api/forms.ts'
import type { Gate, Host, ProgramStatus, Reach } from '../../lib/model.ts'
import { word } from '../../lib/shell.ts'
import { counted, listed } from '../../lib/wording.ts'
import { FOLDER, READ_EVERY_S } from './tree.ts'

/** Every rule group of these files is loaded and evaluated, and none of its rules failed the last time. */
export const everyGroupEvaluated = (ruler: Endpoint, files: readonly string[]): Gate => ({
  name: 'Thanos Rule has evaluated every rule group',
  host: ruler.host.name,
  within: '2m',
  async ask(reach) {
    const groups = await groupsOf(reach, ruler)
    const loaded = new Set(groups.map(({ file }) => file))
    const missing = files.filter((file) => !loaded.has(file))
    if (missing.length > 0) return { pass: false, why: `not loaded: ${listed(missing)}` }
    const waiting = groups.filter(({ lastEvaluation }) => Date.parse(lastEvaluation) <= 0)
    const done = `${groups.length - waiting.length} of ${groups.length} rule groups evaluated`
    if (waiting.length > 0)
      return { pass: false, why: `not yet evaluated: ${listed(waiting.map(({ name }) => name))}`, progress: done }
    const failing = groups.flatMap(({ rules }) => rules.filter(({ lastError }) => lastError !== ''))
    if (failing.length > 0)
      return {
        pass: false,
        why: `fails: ${listed(failing.map(({ name, lastError }) => `${name}: ${lastError.slice(0, 200)}`))}`,
      }
    return { pass: true, detail: counted(groups.length, 'rule group') }
  },
})

/** Its queries have read whom they ask, and have asked: they do so by themselves, and say so nowhere. */
export const endpointsRead = (host: Host): Gate => ({
  name: 'queries of Thanos Rule have read whom they ask',
  host: host.name,
  within: '1m',
  async ask(reach) {
    const since = `${2 * READ_EVERY_S + 1} seconds ago`
    const { code, stdout } = await (await reach(host)).exec(
      `find ${FOLDER} -maxdepth 1 -name '*.yml' -newermt ${word(since)}`,
      { within: '30s', most: 65_536 },
    )
    return code === 0 && stdout.toString().trim() === ''
      ? { pass: true }
      : { pass: false, why: `they read it every ${READ_EVERY_S} s, and it has just been written` }
  },
})

/** Its alerts that fire, for `status`. */
export const rulerStatus = async (reach: Reach, ruler: Endpoint): Promise<ProgramStatus> => {
  const groups = await groupsOf(reach, ruler)
  const alerts = groups.flatMap(({ rules }) => rules.flatMap((rule) => rule.alerts ?? []))
  return { ready: true, alerts: alerts.filter(({ state }) => state === 'firing').length }
}

const groupsOf = async (reach: Reach, ruler: Endpoint) =>
  (await askJson(reach, ruler, { path: '/api/v1/rules', form: RULES })).data.groups

/** As the API of Thanos Rule says it (thanos `pkg/rules/rulespb`): a group that waits was last evaluated in the year 1. */
const RULES = z.object({
  data: z.object({
    groups: listOf(
      z.object({
        name: z.string(),
        file: z.string(),
        lastEvaluation: instant,
        rules: listOf(
          z.object({
            name: z.string(),
            lastError: z.string().default(''),
            alerts: listOf(z.object({ state: z.string() })).nullish(),
          }),
        ),
      }),
    ),
  }),
})
