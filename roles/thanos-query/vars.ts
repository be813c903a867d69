import { z } from 'zod'
import { duration, labelName, listenAddress } from '../../lib/inventory/schema/fields.ts'
import type { WebServer } from '../../lib/model.ts'
import { webFields } from '../../lib/program/web.ts'
import { settingsOf } from '../../lib/role.ts'
import { USER } from '../thanos/release.ts'
import { grpcListen, thanosFields, versionField } from '../thanos/vars.ts'

export const queryVars = z.strictObject({
  version: versionField,
  ...webFields(10904),
  grpc_listen: grpcListen(10903, 'other Queries ask'),
  replica_labels: z
    .array(labelName)
    .min(1)
    .optional()
    .describe(
      'Labels that tell copies of one series apart; series that differ in nothing else are shown as one. Default: the `replica_label` and the `shard_label` of every Prometheus, so that a target that moves from one shard to another stays one series.',
    ),
  endpoints: z
    .array(listenAddress)
    .default([])
    .describe('Further gRPC endpoints that it asks beside the sidecars and rulers of the inventory.'),
  partial_response: z
    .boolean()
    .default(true)
    .describe(
      'What a question gets that does not say so itself, while an endpoint does not answer: what the others have, with a warning that names the endpoint; or with false an error.',
    ),
  endpoint_timeout: duration
    .default('10s')
    .describe('How long an endpoint may send nothing before the answer is given without it, with a warning.'),
  timeout: duration.default('2m').describe('How long a query may take.'),
  max_concurrent: z.int().min(1).default(20).describe('How many queries are worked on at once.'),
  ...thanosFields(''),
})
export type QueryVars = z.infer<typeof queryVars>

/** Its web server. */
export const WEB: WebServer = { role: 'thanos-query', folder: '/etc/thanos-query', user: USER }

/** The settings of a Query's host. */
export const queryOn = settingsOf('thanos_query', queryVars, { web: WEB })
