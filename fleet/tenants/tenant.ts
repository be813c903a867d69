import { stringify } from 'yaml'
import { yamlFile } from '../../lib/program/yaml-file.ts'
import { bytesOf } from '../../lib/secret.ts'

/** An Alertmanager configuration, secrets unprintable. */
export type TenantConfig = Readonly<Record<string, unknown>>

/** A tenant as it is wanted. */
export interface Tenant {
  readonly name: string
  readonly config: TenantConfig
  /** Notification templates by file name. */
  readonly templates: Readonly<Record<string, string>>
  /** The file that it comes from. */
  readonly file: string
}

/** What is uploaded of a tenant, and compared with what is there: it holds the tenant's secrets, and is never shown. */
export interface TenantBody {
  readonly alertmanager_config: string
  readonly template_files: Readonly<Record<string, string>>
}

/** Names that Cortex takes (cortex `pkg/util/users/tenant.go`), but for those that mean something in paths and in its object store. */
export const isTenantName = (name: string): boolean =>
  /^[A-Za-z0-9!_.*'()-]{1,150}$/.test(name) && !['.', '..', '__markers__', 'user-index.json.gz'].includes(name)

/** The same bytes for the same configuration, so that a tenant that has not changed compares equal. */
export const bodyOf = ({ config, templates }: Tenant): TenantBody => {
  const names = Object.keys(templates).sort()
  const withTemplates = names.length > 0 && config.templates === undefined ? { ...config, templates: names } : config
  return {
    alertmanager_config: bytesOf(yamlFile(withTemplates)).toString(),
    template_files: Object.fromEntries(names.map((name) => [name, templates[name] ?? ''])),
  }
}

/** As Cortex reads it. */
export const bodyText = (body: TenantBody): string => stringify(body, { lineWidth: 0 })
