/** The arrows of the layout: lib <- roles <- fleet <- playbooks, cli; below lib: model <- kinds, gates; model <- engine. */
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
      to: { circular: true },
    },
    only('node-ssh', 'lib/connection', 'One small door to a machine.'),
    only('listr2', 'lib/report', 'It draws events; it decides nothing.'),
    only('yargs', 'cli', 'Flags end where the work begins.'),
    never('^lib/', '^(roles|fleet|playbooks|cli)/', 'The library knows no role, and nothing that is made of roles.'),
    never('^roles/', '^(fleet|playbooks|cli)/', 'A role knows nothing of what the fleet does with it.'),
    never('^fleet/', '^(playbooks|cli)/', 'What several roles show together is asked by playbooks and commands.'),
    never(
      '^lib/(model|errors|secret|shell|duration)\\.ts$',
      '^lib/[a-z-]+/',
      'The nouns know nothing of what is done with them.',
    ),
    never('^lib/kinds/', '^lib/(engine|report|connection|gates|lab|api)/', 'A kind is pure: it returns shell.'),
    never('^lib/gates/', '^lib/(engine|report|connection|kinds|lab)/', 'A gate asks; it knows no machinery.'),
    never(
      '^lib/engine/',
      '^lib/(report|connection|kinds|gates|lab|api|program)/',
      'The engine works on the nouns alone.',
    ),
    never('^lib/health/', '^lib/(report|connection|kinds|lab)/', 'A status is made of answers; it draws nothing.'),
    never('^lib/report/', '^lib/(connection|kinds|gates|lab|api)/', 'A report is a function of events.'),
    never(
      '^lib/(inventory|connection)/',
      '^lib/(engine|report|kinds|gates|lab|api|program)/',
      'A stage does not look ahead.',
    ),
    never(
      '^lib/lab/',
      '^lib/(engine|report|connection|kinds|gates|inventory|api|program)/',
      'The lab is machines, nothing more.',
    ),
    never('^roles/', '^lib/(engine|report|connection|lab)/', 'A role is data.'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.cjs', '.json'] },
  },
}
