import type { Host } from '../../lib/model.ts'
import { webConfigFile, webOn } from '../../lib/program/certified.ts'
import type { Flags } from '../../lib/program/flags.ts'
import { configOf } from './config.ts'
import { type PrometheusVars, WEB } from './vars.ts'

/** Values that mean the same as leaving the flag out (`prometheus --help`, 2.42 to 3.5). */
export const FLAG_DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  'web.listen-address': ['0.0.0.0:9090', ':9090'],
  'storage.tsdb.retention.time': ['15d'],
  'storage.tsdb.retention.size': ['0', '0B'],
  'rules.alert.resend-delay': ['1m'],
  'log.level': ['info'],
}

/** The command line of Prometheus. */
export const flagsOf = (vars: PrometheusVars, host: Host): Flags => ({
  'config.file': configOf(host),
  'storage.tsdb.path': vars.storage_dir,
  'storage.tsdb.retention.time': vars.retention.time,
  'storage.tsdb.retention.size': vars.retention.size && shortUnit(vars.retention.size),
  'web.listen-address': vars.listen,
  'web.external-url': vars.external_url,
  'web.route-prefix': vars.route_prefix,
  'web.config.file': vars.web_config && webConfigFile(webOn(host, WEB)),
  'rules.alert.resend-delay': vars.resend_delay,
  'log.level': vars.log_level,
  ...vars.extra_flags,
})

/** Prometheus writes `512MB` for what is 512 MiB: its units are powers of two (`storage.tsdb.retention.size` in its help). */
const shortUnit = (size: string): string => size.replace('iB', 'B')
