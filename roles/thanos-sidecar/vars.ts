import { z } from 'zod'
import { duration } from '../../lib/inventory/schema/fields.ts'
import type { WebServer } from '../../lib/model.ts'
import { webFields } from '../../lib/program/web.ts'
import { settingsOf } from '../../lib/role.ts'
import { USER } from '../thanos/release.ts'
import { grpcListen, thanosFields, versionField } from '../thanos/vars.ts'

export const sidecarVars = z.strictObject({
  version: versionField,
  ...webFields(10902),
  grpc_listen: grpcListen(10901, 'Thanos Query asks'),
  check_interval: duration
    .default('5s')
    .describe(
      'How often it looks whether its Prometheus answers, and for its labels. For that long a query may still be sent to one that is down.',
    ),
  ...thanosFields(''),
})
export type SidecarVars = z.infer<typeof sidecarVars>

/** Its web server. */
export const WEB: WebServer = { role: 'thanos-sidecar', folder: '/etc/thanos-sidecar', user: USER }

/** The settings of a sidecar's host. */
export const sidecarOn = settingsOf('thanos_sidecar', sidecarVars, { web: WEB })
