/** The arrows of the layout: model <- kinds, gates <- roles <- playbooks; model <- engine <- cli. */
const only = (name, path, comment) => ({
  name: `only-${path.split('/').pop()}-knows-${name}`,
  comment,
  severity: 'error',
  from: { pathNot: [`^${path}/`, '^test/'] },
  to: { path: `^node_modules/${name}/` },
})
const never = (from, to, comment) => ({
  name: `${from.replaceAll(/\W/g, '-')}-not-to-${to.replaceAll(/\W/g, '-')}`,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: to },
})

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'A circle has no first page.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    only('node-ssh', 'lib/connection', 'One small door to a machine.'),
    only('listr2', 'lib/report', 'It draws events; it decides nothing.'),
    only('yargs', 'lib/cli', 'Flags end where the work begins.'),
    never(
      '^lib/(model|errors|secret|shell|duration)\\.ts$',
      '^(lib/[a-z-]+/|roles/|playbooks/)',
      'The nouns know nothing of what is done with them.',
    ),
    never(
      '^lib/kinds/',
      '^(lib/(engine|cli|report|connection|gates|lab)/|roles/|playbooks/)',
      'A kind is pure: it returns shell.',
    ),
    never(
      '^lib/gates/',
      '^(lib/(engine|cli|report|connection|kinds|lab)/|roles/|playbooks/)',
      'A gate asks; it knows no machinery.',
    ),
    never(
      '^lib/engine/',
      '^(lib/(cli|report|connection|kinds|gates|lab)/|roles/|playbooks/)',
      'The engine works on the nouns alone.',
    ),
    never(
      '^lib/health/',
      '^(lib/(cli|report|connection|kinds|lab)/|roles/|playbooks/)',
      'A look is made of answers; it draws nothing.',
    ),
    never(
      '^lib/report/',
      '^(lib/(cli|connection|kinds|gates|lab)/|roles/|playbooks/)',
      'A report is a function of events.',
    ),
    never(
      '^lib/(inventory|connection)/',
      '^(lib/(engine|cli|report|kinds|gates|lab)/|roles/|playbooks/)',
      'A stage does not look ahead.',
    ),
    never(
      '^lib/lab/',
      '^(lib/(engine|cli|report|connection|kinds|gates|inventory)/|roles/|playbooks/)',
      'The lab is machines, nothing more.',
    ),
    never('^roles/', '^(lib/(engine|cli|report|connection|lab)/|playbooks/)', 'A role is data.'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.cjs', '.json'] },
  },
}
