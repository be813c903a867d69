/**
 * Published monitoring mixins, where somebody has put them: they are not part of this project, and no registry has a package of them. VESTAL_MIXINS, or
 * ~/.cache/vestal/mixins, is a folder of rule files, or of manifests of the kind PrometheusRule as kube-prometheus publishes them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { RuleText } from '../../../lib/sharding/rules/rule-file.ts'

const folder = process.env.VESTAL_MIXINS ?? join(homedir(), '.cache/vestal/mixins')

/** Their rule files; none where there are none. */
export const mixins = (): readonly RuleText[] =>
  (existsSync(folder) ? readdirSync(folder) : [])
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8')
      const { spec } = parse(text) as { spec?: object }
      return { path: name, text: spec ? stringify(spec, { lineWidth: 0 }) : text }
    })
