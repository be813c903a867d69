/** What a file of teams may say. The page docs/teams.md and the JSON Schema are made of it. */
import { z } from 'zod'
import { duration } from '../inventory/schema/fields.ts'

export const TEAM_NAME = /^[\p{L}\p{N}][\p{L}\p{N}_.@-]*$/u
const name = z
  .string()
  .regex(TEAM_NAME, { error: 'expected a name of letters, digits, _, ., @ and -' })
  .meta({ title: 'name', examples: ['payments'] })
const severity = z
  .string({ error: 'expected a severity, as text' })
  .regex(/^[A-Za-z0-9_-]+$/, { error: 'expected a severity such as critical: letters, digits, _ and -' })
const oneOrMore = (one: z.ZodString) =>
  z.union([one, z.array(one).min(1)], { error: 'expected a name, or a list of names' })

const claim = z.union(
  [z.string(), z.record(z.string(), z.string({ error: 'expected text (a number or true/false needs quotes)' }))],
  { error: 'expected matchers as text, or a mapping of labels to values' },
)

/** The kinds of receivers and the Alertmanager version that knows them first; null: 0.25 does already. Source: its CHANGELOG. */
export const RECEIVER_KINDS = {
  webhook_configs: null,
  email_configs: null,
  slack_configs: null,
  pagerduty_configs: null,
  opsgenie_configs: null,
  victorops_configs: null,
  pushover_configs: null,
  wechat_configs: null,
  sns_configs: null,
  telegram_configs: null,
  discord_configs: null,
  webex_configs: null,
  msteams_configs: '0.26.0',
  msteamsv2_configs: '0.28.0',
  jira_configs: '0.28.0',
  rocketchat_configs: '0.28.0',
  incidentio_configs: '0.29.0',
  mattermost_configs: '0.30.0',
} as const
export type ReceiverKind = keyof typeof RECEIVER_KINDS

const blocks = z.array(z.looseObject({}, { error: 'expected a mapping, as Alertmanager reads it' }))
const receiver = z
  .strictObject(
    Object.fromEntries(
      Object.entries(RECEIVER_KINDS).map(([kind, since]) => [
        kind,
        blocks.optional().describe(`As Alertmanager reads them${since === null ? '' : ` from ${since} on`}.`),
      ]),
    ) as Record<ReceiverKind, z.ZodOptional<typeof blocks>>,
    { error: 'expected the blocks of a receiver, such as webhook_configs' },
  )
  .refine((kinds) => Object.keys(kinds).length > 0, { error: 'tells nobody: it has no block such as webhook_configs' })

const notify = z.strictObject({
  severity: oneOrMore(severity).optional().describe('Only alerts with this `severity`, or one of these.'),
  hours: name.optional().describe('Only in this time interval; alerts outside of it wait for it.'),
  to: oneOrMore(name).describe('The receivers that are notified, by their names above.'),
})

const interval = z.looseObject({}, { error: 'expected a time interval, as Alertmanager reads it: times, weekdays, …' })

/** One row of a table of cases. */
export const caseSchema = z.strictObject({
  name: z.string().optional().describe('What it shows, in words.'),
  alert: z
    .record(z.string(), z.string({ error: 'expected text (a number or true/false needs quotes)' }))
    .describe('The labels of an alert, as its rule gives them.'),
  at: z.iso
    .datetime({ offset: true, error: 'expected a time such as 2026-01-05T10:00:00Z' })
    .optional()
    .describe('When it fires; left out: hours and mute times do not count.'),
  with: z
    .array(z.record(z.string(), z.string()))
    .default([])
    .describe('Labels of other alerts that fire at the same time and may inhibit it.'),
  team: z
    .string()
    .nullable()
    .optional()
    .meta({ title: 'text or nothing' })
    .describe('The team that must own it; null: no team does.'),
  receivers: z.array(z.string()).optional().describe('Exactly the receivers that must be notified, in any order.'),
  muted: z
    .array(z.string())
    .optional()
    .describe('Exactly the receivers that must wait because of hours or mute times.'),
  group_by: z.array(z.string()).optional().describe('The labels it must be grouped by.'),
  inhibited: z.boolean().optional().describe('Whether one of the alerts in `with` must inhibit it.'),
})
export type Case = z.infer<typeof caseSchema>

export const teamSchema = z.strictObject(
  {
    default: z.boolean().default(false).describe('Whether this team gets everything that no team owns.'),
    owns: z
      .array(claim)
      .default([])
      .describe(
        'The alerts that are its own: each entry is one set of matchers, all of which an alert must meet. Text as in Alertmanager (`namespace="payments", cluster=~"eu-.*"`), or a mapping of labels to values.',
      ),
    receivers: z
      .record(name, receiver)
      .default({})
      .describe('Who can be told: names of your choice, each with the blocks of an Alertmanager receiver.'),
    notify: z
      .array(notify)
      .min(1)
      .optional()
      .describe(
        'Who is notified of what: every entry that fits an alert is. An alert whose severity none names goes to the first. Default: all receivers, of everything.',
      ),
    escalation: z
      .strictObject({
        after: duration.describe('How long an alert must have been firing.'),
        severity: oneOrMore(severity)
          .default('critical')
          .describe('Only alerts with this `severity`, or one of these.'),
        to: oneOrMore(name).describe('The receivers that are notified then.'),
      })
      .optional()
      .describe('Who is notified of an alert that goes on firing. A silence of the alert silences this too.'),
    times: z
      .record(name, z.array(interval))
      .default({})
      .describe('Time intervals of its own, as `time_intervals` of Alertmanager has them.'),
    mute: z.array(name).default([]).describe('Time intervals in which nobody is notified.'),
    grouping: z
      .strictObject({
        by: z.array(z.string()).min(1).optional().describe('The labels by which alerts are grouped.'),
        wait: duration.optional().describe('How long the first of a group waits for others.'),
        interval: duration.optional().describe('How long changes of a group wait.'),
        repeat: duration.optional().describe('How often a group that goes on firing is notified again.'),
      })
      .prefault({})
      .describe('How alerts are grouped into notifications; default: as the root of the routing tree says.'),
    cases: z.array(caseSchema).default([]).describe('Cases that must come out as they say, or nothing is deployed.'),
  },
  { error: 'expected a team: owns, receivers, …' },
)

/** A file of teams: by name. */
export const teamsSchema = z.record(name, teamSchema, { error: 'expected teams by name' })
/** A file of nothing but cases, `*.test.yml`. */
export const casesSchema = z.strictObject({ cases: z.array(caseSchema).describe('Cases over all teams.') })
export type TeamFile = z.infer<typeof teamSchema>
