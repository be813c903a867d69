import { isMap, isScalar, isSeq, type Node } from 'yaml'
import type { ZodType } from 'zod'
import { Secret } from '../../secret.ts'
import { entriesOf, follow, type Source } from '../yaml/source.ts'
import { forms, type JsonSchema, schemaOf } from './json-schema.ts'

/** What a file holds that stands in a section's place, `{ $file: alertmanager.yml }`; undefined where it is no YAML, which is a mistake of its own. */
export type Include = (file: Secret) => Pick<Place, 'value' | 'source' | 'node'> | undefined

/**
 * A variable's value as a role takes it: what Prometheus and Alertmanager read themselves is as they would read it. Their YAML parser gives a text field
 * the plain scalar's own text (go.yaml.in/yaml, decode.go): `page: yes` is "yes", `01` is "01" and `17:00` is "17:00", where YAML 1.1 by itself has a
 * boolean and numbers. Settings with a type of Vestal's own are as YAML has them.
 */
export const upstreamText = (
  value: unknown,
  { source, node, include }: { source: Source; node: Node | null; include: Include },
  schema: ZodType,
): unknown => Object.freeze(read({ value, source, node, include, inLoose: false, key: '' }, [schemaOf(schema)]))

interface Place {
  readonly value: unknown
  readonly source: Source
  readonly node: Node | null
  readonly include: Include
  /** Whether the mapping around it is one that a program reads as it is. */
  readonly inLoose: boolean
  /** The key that it stands under. */
  readonly key: string
}

const read = (
  { value, source, node: written, include, inLoose, key }: Place,
  schemas: readonly JsonSchema[],
): unknown => {
  const node = follow(source, written)
  const known = schemas.flatMap(forms)
  const free = known.length > 0 && known.every(isFree)
  if (value instanceof Secret) {
    const file = known.some(isSection) ? include(value) : undefined
    return file ? read({ ...file, include, inLoose, key }, schemas) : value
  }
  if (!node) return value
  if (isScalar(node))
    return free || (inLoose && known.some(({ type }) => type === 'string')) ? textOf(node, value, key) : value
  if (isSeq(node) && Array.isArray(value))
    return Object.freeze(
      value.map((item, at) =>
        read(
          {
            value: item,
            source,
            node: (node.items[at] ?? null) as Node | null,
            include,
            inLoose: inLoose || free,
            key,
          },
          itemsOf(known, free),
        ),
      ),
    )
  if (!isMap(node) || typeof value !== 'object' || value === null || (free && ANY.has(key))) return value
  const loose = free || known.some(isLooseMapping)
  return Object.freeze(
    Object.fromEntries(
      entriesOf(source, node).map((entry) => {
        const name = loose && entry.key && isScalar(entry.key) ? String(textOf(entry.key, entry.name, '')) : entry.name
        const below = { value: Reflect.get(value, entry.name), source, node: entry.value, include, inLoose: loose }
        return [name, read({ ...below, key: TEXTS.has(key) ? key : name }, valuesOf(known, entry.name, free))]
      }),
    ),
  )
}

/** A schema that says nothing of what stands there. */
const isFree = (schema: JsonSchema): boolean =>
  ['type', 'anyOf', 'oneOf', 'allOf', 'enum', 'const', 'properties', 'pattern'].every(
    (keyword) => schema[keyword] === undefined,
  )

/** Whether a schema is of a mapping that may have keys which the schema doesn't know. */
export const isLooseMapping = ({ type, additionalProperties: each }: JsonSchema): boolean =>
  type === 'object' && (each === undefined || each === true || (typeof each === 'object' && isFree(each)))

/** Of a section that a program reads as it is, or of a list of such. */
const isSection = (schema: JsonSchema): boolean =>
  isLooseMapping(schema) ||
  (schema.type === 'array' &&
    typeof schema.items === 'object' &&
    !Array.isArray(schema.items) &&
    forms(schema.items as JsonSchema).some(isLooseMapping))

const FREE: JsonSchema = {}

const itemsOf = (known: readonly JsonSchema[], free: boolean): readonly JsonSchema[] => {
  const items = known.flatMap(({ items: one }) => (one && !Array.isArray(one) ? [one as JsonSchema] : []))
  return free ? [FREE] : items
}

const valuesOf = (known: readonly JsonSchema[], name: string, free: boolean): readonly JsonSchema[] => {
  if (free) return [FREE]
  const named = known.flatMap(({ properties }): readonly JsonSchema[] => (properties?.[name] ? [properties[name]] : []))
  if (named.length > 0) return named
  const each = known.flatMap(({ additionalProperties: one }): readonly JsonSchema[] =>
    typeof one === 'object' ? [one] : [],
  )
  return each.length > 0 ? each : known.some(isLooseMapping) ? [FREE] : []
}

/** What a program's own field takes from a plain scalar: the text, unless the field is a boolean or a number and only spelled in another way. */
const textOf = (node: Node, value: unknown, key: string): unknown => {
  if (!isScalar(node) || node.type !== 'PLAIN' || node.tag || typeof node.value === 'string' || node.value === null)
    return value
  const text = node.source ?? String(node.value)
  if (TEXTS.has(key)) return text
  if (String(node.value) === text || BOOLEANS.has(key) || NUMBERS.has(key)) return value
  return text
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

/** Fields whose values are texts, in mappings and lists too: their text counts even where it looks like a number that needs no other spelling. */
const TEXTS = words(
  'match match_re source_match source_match_re target_match target_match_re labels annotations group_by equal matchers source_matchers target_matchers params headers http_headers values',
)
/** Fields that hold whatever is put there, and hand it on as YAML has it: Alertmanager's `map[string]any`. */
const ANY = words('fields details payload custom_details other_fields')
/** Fields of the two programs whose Go type is bool, from the yaml tags of their structs and of prometheus/common's, as of August 2026. */
const BOOLEANS = words(
  `all_tenants allow_stale always_scrape_classic_histograms batch continue convert_classic_histograms_to_nhcb
  convert_histograms_to_nhcb cronjob deduplicates deployment disable_notifications enable_compression enable_http2 enable_update
  enabled endpoint extra_scrape_metrics failed_request_logging filter_external_labels follow_redirects
  force_implicit_tls fuzzy_compare ha_tracker honor_labels honor_timestamps html http2 include_parameters insecure
  insecure_skip_verify job keep_identifying_resource_attributes label_name_preserve_multiple_underscores
  label_name_underscore_sanitization link_names match_first_network monospace namespace node own_namespace
  persistent_notifications prefer_server_cipher_suites promote_all_resource_attributes promote_scope_metadata
  proxy_from_environment read_recent requested_ack require_tls retry_on_http_429 round_robin_dns
  scrape_classic_histograms scrape_native_histograms send send_certificate_chain send_exemplars send_native_histograms
  send_resolved short short_fields smtp_force_implicit_tls smtp_require_tls tls_insecure_skip_verify
  track_timestamps_staleness update_alerts update_message use_aws_http_client use_fips_sts_endpoint`,
)
/** Those whose Go type is a number. */
const NUMBERS = words(
  `batch_max_bytes batch_max_events buffer_size burst capacity chat_id chunked_read_limit gogc keep_dropped_targets
  label_limit label_name_length_limit label_value_length_limit limit max_alerts max_exemplars max_retries
  max_samples_per_send max_shards message_thread_id min_shards modulus native_histogram_bucket_limit
  native_histogram_min_bucket_factor percentage port request_concurrency sample_limit sampling_fraction
  stale_series_compaction_threshold target_limit workers`,
)
