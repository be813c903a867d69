/** The parts of a running Prometheus's or Alertmanager's configuration that decide who is notified, as forms: a host may say anything. */
import { z } from 'zod'
import { listOf, texts } from '../api/forms.ts'
import type { RouteConfig } from './generate.ts'
import type { RelabelStep } from './relabel.ts'

const scalar = z.union([z.string(), z.number(), z.boolean()])
const text = scalar.transform(String)
const names = listOf(text)

/** A step of relabelling. */
export const relabelStep: z.ZodType<RelabelStep> = z.object({
  source_labels: names.optional(),
  separator: text.optional(),
  regex: scalar.optional(),
  target_label: text.optional(),
  replacement: text.optional(),
  modulus: z.int().min(1).optional(),
  action: z.string().optional(),
})

/** A node of the routing tree. */
export const routeForm: z.ZodType<RouteConfig> = z.lazy(() =>
  z.looseObject({
    receiver: text.optional(),
    matchers: names.optional(),
    match: texts.optional(),
    match_re: texts.optional(),
    continue: z.boolean().optional(),
    group_by: names.optional(),
    group_interval: z.string().optional(),
    mute_time_intervals: names.optional(),
    active_time_intervals: names.optional(),
    routes: listOf(routeForm).optional(),
  }),
)

const inhibit = z.object({
  source_matchers: names.optional(),
  target_matchers: names.optional(),
  source_match: texts.optional(),
  target_match: texts.optional(),
  source_match_re: texts.optional(),
  target_match_re: texts.optional(),
  equal: names.optional(),
})
const times = z.object({ start_time: z.union([z.string(), z.number()]), end_time: z.union([z.string(), z.number()]) })
const spans = listOf(z.union([z.string(), z.number()])).optional()
const intervals = listOf(
  z.object({
    name: text,
    time_intervals: listOf(
      z.object({
        times: listOf(times).optional(),
        weekdays: spans,
        days_of_month: spans,
        months: spans,
        years: spans,
        location: z.string().optional(),
      }),
    ).optional(),
  }),
).optional()

/** What of an Alertmanager's configuration its routes are made of. */
export const routingForm = z.object({
  route: routeForm.optional(),
  receivers: listOf(z.looseObject({ name: text })).optional(),
  inhibit_rules: listOf(inhibit).optional(),
  time_intervals: intervals,
  mute_time_intervals: intervals,
})

/** What of a Prometheus's configuration alerts and sent samples go through, and its pace. */
export const alertingForm = z.object({
  global: z
    .object({
      external_labels: z.record(z.string(), text).nullish(),
      scrape_interval: z.string().optional(),
      evaluation_interval: z.string().optional(),
    })
    .nullish(),
  alerting: z
    .object({
      alert_relabel_configs: listOf(relabelStep).nullish(),
      alertmanagers: listOf(
        z.object({ static_configs: listOf(z.object({ targets: names.nullish() })).nullish() }),
      ).nullish(),
    })
    .nullish(),
  remote_write: listOf(
    z.object({ url: text.optional(), write_relabel_configs: listOf(relabelStep).nullish() }),
  ).nullish(),
})
