import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { Environment } from 'minijinja-js'

/** Why a template has no value, in words for the operator. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError'
}

interface LookupSources {
  readonly env: NodeJS.ProcessEnv
  /** Where relative paths of files start. */
  readonly folder: string
}

/**
 * The value of a Jinja text: of a text that is one `{{ … }}` that of the expression, with its type, else text. minijinja evaluates it, with those of Ansible's
 * filters and lookups that inventories use. Throws TemplateError for a name that is not defined, for what is not known here, and for what a lookup doesn't find.
 */
export const evaluated = (
  written: string,
  values: Readonly<Record<string, unknown>>,
  around: LookupSources,
): unknown => {
  const text = withoutOddEscapes(written)
  const failed: string[] = []
  const environment = environmentFor(around, (why) => void failed.push(why))
  try {
    const [, expression] = /^\s*\{\{-?((?:(?!\}\}).)*?)-?\}\}\s*$/s.exec(text) ?? []
    const value =
      expression === undefined ? environment.renderStr(text, values) : environment.evalExpr(expression, values)
    if (failed[0] !== undefined) throw new TemplateError(failed[0])
    if (value === undefined) throw new TemplateError(`\`${expression?.trim()}\` is not defined for this host`)
    return plain(value)
  } catch (error) {
    if (error instanceof TemplateError) throw error
    const why = failed[0] ?? (error instanceof Error ? error.message : String(error))
    throw new TemplateError(
      why.replace(/ \(in <\w+>:\d+\)/, '').replace(/^undefined value$/, 'a name in it is not defined for this host'),
    )
  } finally {
    // What has thrown inside can't be freed.
    if (failed.length === 0) environment.free()
  }
}

/** Jinja leaves an escape that it doesn't know as it is, as in `'\\d+'`, where minijinja knows no such text. */
const withoutOddEscapes = (text: string): string =>
  text.replaceAll(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/gs, (literal) =>
    literal.replaceAll(/\\(?!["'\\/bfnrtu])|\\\\/g, (found) => (found === '\\' ? '\\\\' : found)),
  )

/** Filters say why they fail and go on: the evaluator can't bear an exception inside. */
const environmentFor = ({ env, folder }: LookupSources, fail: (why: string) => void): Environment => {
  const environment = new Environment()
  environment.enablePyCompat()
  environment.undefinedBehavior = 'strict'
  const guarded =
    (name: string, run: (...words: never[]) => unknown) =>
    (...words: unknown[]): unknown => {
      try {
        return run(...(words as never[]))
      } catch (error) {
        fail(`${name}: ${error instanceof Error ? error.message : error}`)
        return ''
      }
    }
  for (const [name, filter] of Object.entries(FILTERS)) environment.addFilter(name, guarded(name, filter))
  environment.addGlobal(
    'lookup',
    guarded('lookup', (kind: string, name: unknown) => lookUp(String(kind), String(name), { env, folder })),
  )
  return environment
}

const lookUp = (kind: string, name: string, { env, folder }: LookupSources): string => {
  const plugin = kind.replace(/^ansible\.builtin\./, '')
  if (plugin === 'env') return env[name] ?? ''
  if (plugin !== 'file') throw new Error(`only env and file can be looked up here, not ${kind}`)
  const file = resolve(folder, name.replace(/^~(?=\/)/, env.HOME ?? '~'))
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new Error(`there is no file ${file}`)
  return readFileSync(file, 'utf8').replace(/\s+$/, '')
}

/** Those that Ansible has and Jinja doesn't. Source: ansible-core, plugins/filter/core.py. */
const FILTERS: Readonly<Record<string, (...words: never[]) => unknown>> = {
  bool: (value: unknown) =>
    typeof value === 'string' ? /^(yes|on|1|true|y|t)$/i.test(value) : value === true || value === 1,
  mandatory: (value: unknown) => value,
  ternary: (value: unknown, yes: unknown, no: unknown) => (value ? yes : no),
  regex_replace: (value: string, pattern: string, replacement: string) =>
    String(value).replace(new RegExp(pattern, 'g'), replacement.replaceAll(/\\(\d)/g, '$$$1')),
  regex_search: (value: string, pattern: string) => new RegExp(pattern).exec(String(value))?.[0] ?? '',
  b64encode: (value: string) => Buffer.from(String(value)).toString('base64'),
  b64decode: (value: string) => Buffer.from(String(value), 'base64').toString(),
  to_json: (value: unknown) => JSON.stringify(plain(value)),
  from_json: (value: string) => JSON.parse(value),
  basename: (value: string) => basename(String(value)),
  dirname: (value: string) => dirname(String(value)),
  quote: (value: string) => `'${String(value).replaceAll("'", `'\\''`)}'`,
  combine: (...values: object[]) => Object.assign({}, ...values.map(plain)),
  extract: (key: string, container: unknown, more?: unknown) =>
    [more ?? []]
      .flat()
      .reduce(
        (at: unknown, part) => Reflect.get(at as object, String(part)),
        Reflect.get(plain(container) as object, key),
      ),
}

/** Mappings come as Map. */
const plain = (value: unknown): unknown => {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [String(key), plain(one)]))
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
    : value
}
