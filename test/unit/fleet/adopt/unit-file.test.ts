import { expect, test } from 'vitest'
import { commandFlags } from '../../../../fleet/adopt/command-flags.ts'
import { environmentOf, startWords, wordsOf } from '../../../../fleet/adopt/unit-file.ts'

const started = (text: string, { more = [] as readonly string[], environment = {} as Record<string, string> } = {}) =>
  startWords({
    units: [text, ...more].map((one, at) => ({ path: `/u${at}`, text: one })),
    environment: new Map(Object.entries(environment)),
  })

/** Each right side is what systemd 252 gives the process: systemd.service(5), "Command lines", and systemd.syntax(7), "Quoting". */
test.each<[string, readonly string[]]>([
  [`/bin/p --a=1   --b "two words" 'it''s'`, ['/bin/p', '--a=1', '--b', 'two words', 'its']],
  [String.raw`/bin/p --name="the \"one\"" \x41\t\s\101`, ['/bin/p', '--name=the "one"', 'A\t A']],
  [String.raw`/bin/p --re='a.*\\d' ""`, ['/bin/p', String.raw`--re=a.*\d`, '']],
  ['/bin/p "a#b" #c', ['/bin/p', 'a#b', '#c']],
])('words of %s', (line, words) => {
  expect(wordsOf(line)).toEqual(words)
})

test('variables, continued lines, comments between them, resets by a drop-in', () => {
  const unit = `[Unit]
Description=p
ExecStart=/not/this
[Service]
Environment=A=1 "B=two words" PORT=9
EnvironmentFile=-/etc/default/p
ExecStart=/bin/p $ARGS \\
  # a comment
  --port=\${PORT} $B $NONE \${NONE} $$x %%y
`
  const environment = { '/etc/default/p': '# Flags.\nARGS="--config.file=/etc/p.yml \\\n --x=\'a b\'"\nPORT=10\n' }
  const words = ['/bin/p', '--config.file=/etc/p.yml', '--x=a b', '--port=10', 'two', 'words', '', '$x', '%y']
  expect(started(unit, { environment })).toEqual(words)
  expect(started(unit, { more: ['[Service]\nExecStart=\nExecStart=@/bin/q name --z\n'] })).toEqual(['/bin/q', '--z'])
  expect(started(unit, { more: ['[Service]\nExecStart=/bin/q\n'] })).toBeUndefined()
  expect(started('[Service]\nExecStart=:/bin/p $HOME ${X}\n')).toEqual(['/bin/p', '$HOME', '${X}'])
  expect(started('[Service]\nExecStart=-/bin/p\n')).toEqual(['/bin/p'])
  expect(started('nonsense')).toBeUndefined()
})

/** Source: systemd.exec(5), EnvironmentFile=. */
test.each<[string, string]>([
  ['ARGS=a b', 'a b'],
  ['ARGS=  a b  ', 'a b'],
  ['ARGS="a \\"b\\" \\$c \\d"', 'a "b" $c \\d'],
  ['ARGS=\'a \\ "b"\'', 'a \\ "b"'],
  ['ARGS=a"b c"\'d\'', 'ab cd'],
  ['ARGS="a\nb"', 'a\nb'],
  ['ARGS=a \\\n b', 'a  b'],
  ['export ARGS=x', 'x'],
  ['# ARGS=no \\\nARGS=not either\nARGS=yes', 'yes'],
  ['ARGS=', ''],
  ['ARGS="ends nowhere', 'ends nowhere'],
])('the environment in %j', (text, value) => {
  expect(new Map(environmentOf(text)).get('ARGS')).toBe(value)
})

test('a file of nonsense has no variables, however it is made', () => {
  for (const text of ['\\', '"', "'", '=', 'a b=c', '\0\0', '\\\n\\\n', '#', 'x'.repeat(100_000)])
    expect(environmentOf(text)).toEqual([])
})

test('flags in every way that they are given', () => {
  const { flags, words } = commandFlags([
    '/bin/p',
    ...['--a=1', '-b', '2', '--c', '--no-d', '--e=', '--peer=x', '--peer', 'y', '--f', '-g=a=b', '--', 'rest'],
  ])
  expect(Object.fromEntries(flags)).toEqual({
    a: ['1'],
    b: ['2'],
    c: [true],
    d: [false],
    e: [''],
    peer: ['x', 'y'],
    f: [true],
    g: ['a=b'],
  })
  expect(words).toEqual(['--', 'rest'])
})
