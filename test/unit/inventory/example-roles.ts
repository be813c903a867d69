import { z } from 'zod'
import {
  absolutePath,
  bytes,
  duration,
  labels,
  listenAddress,
  mode,
  port,
  secret,
  url,
  version,
} from '../../../lib/inventory/schema/fields.ts'
import { role } from '../../../lib/role.ts'

const tasks = () => []

/** Roles with every sort of setting, whose schemas these tests can rely on. */
export const exampleRoles = [
  role({
    name: 'prometheus',
    summary: 'A Prometheus.',
    tasks,
    vars: z.strictObject({
      version: version.describe('Which release runs.'),
      retention: duration.default('15d').describe('How long samples are kept.'),
      retention_size: bytes.optional().describe('How much is kept.'),
      port: port.default(9090).describe('Where it listens.'),
      labels: labels.default({}).describe('External labels.'),
      external_url: url.optional(),
      replicas: z.int().min(1).max(9).default(2),
      level: z.enum(['info', 'debug']).default('info'),
      remote_write: z
        .array(z.strictObject({ url, password: secret.optional(), listen: listenAddress.optional() }))
        .max(2)
        .default([]),
      web: z.union([absolutePath, z.strictObject({ cert: absolutePath, mode: mode.default('0640') })]).optional(),
      compact: z.boolean().default(true),
      ratio: z.number().gt(0).lt(1).optional(),
    }),
  }),
  role({
    name: 'alertmanager',
    summary: 'An Alertmanager.',
    tasks,
    vars: z
      .strictObject({
        retention: duration.default('120h'),
        config: z.looseObject({
          route: z.record(z.string(), z.unknown()),
          receivers: z.array(z.looseObject({ name: z.string() })),
        }),
      })
      .superRefine(({ config }, context) => {
        const names = config.receivers.map(({ name }) => name)
        if (!names.includes(String(config.route.receiver)))
          context.addIssue({
            code: 'custom',
            path: ['config', 'route', 'receiver'],
            message: 'no receiver is called that',
          })
      }),
  }),
  role({
    name: 'node-exporter',
    summary: 'A node exporter.',
    tasks,
    vars: z.strictObject({ port: port.default(9100), collectors: z.array(z.string()).default([]) }),
  }),
  role({ name: 'base', summary: 'Every machine.', tasks, vars: z.strictObject({}) }),
]
