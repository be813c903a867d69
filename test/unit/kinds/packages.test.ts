import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { packages } from '../../../lib/kinds/packages.ts'
import { stepsOf } from './machine.ts'
import { type Sandbox, sandbox } from './sandbox.ts'

/** A package manager that keeps its list in /srv/installed; its first update finds the lists locked. */
const fakes: Readonly<Record<string, string>> = {
  'dpkg-query': `while [ "$1" != -- ]; do shift; done; shift
for name; do if grep -qx "$name" /srv/installed; then echo "$name installed"; else echo "$name not-installed"; fi; done`,
  dpkg: ':',
  sleep: ':',
  'apt-get': `echo "$*" >>/srv/asked
case "$*" in
  *update*) if [ ! -e /srv/unlocked ]; then touch /srv/unlocked; echo 'E: Could not get lock'; exit 100; fi; touch /srv/updated ;;
  *install*) [ -e /srv/updated ] || exit 100; while [ "$1" != -- ]; do shift; done; shift; printf '%s\\n' "$@" >>/srv/installed ;;
esac`,
}

const withFakes = (box: Sandbox): Sandbox => {
  mkdirSync(box.at('/srv/bin'))
  writeFileSync(box.at('/srv/installed'), 'adduser\n')
  for (const [name, run] of Object.entries(fakes)) {
    writeFileSync(box.at(`/srv/bin/${name}`), `#!/bin/sh\n${run}\n`)
    chmodSync(box.at(`/srv/bin/${name}`), 0o755)
  }
  return box
}
const path = 'PATH=/srv/bin:$PATH\n'

describe.each(['dash', 'bash'] as const)('under %s', (shell) => {
  test('only what is missing is installed, after waiting for the lists’ lock', () => {
    using box = withFakes(sandbox(shell))
    const task = packages(['adduser', 'libc-bin', 'g++'])
    const read = () => task.kind.parse(box.sh(path + task.kind.probe([task])).stdout, [task]).get(task.key) ?? null
    const from = read()
    expect(from).toEqual({ missing: 'libc-bin, g++' })
    const [step] = task.kind.converge({ task, from, to: task.desired, fields: ['missing'] })
    expect(step?.title).toBe('install libc-bin, g++')
    expect(box.sh(`set -eu\n${path}${step?.run}`)).toMatchObject({ code: 0, output: '' })
    expect(read()).toEqual({ missing: '' })
    expect(box.sh('grep -c update /srv/asked').output).toBe('2')
  })

  test('this system’s own packages are found', () => {
    using box = sandbox(shell)
    box.sh(':')
    const task = packages(['no-such-package'])
    expect(
      stepsOf([{ task, from: { missing: 'no-such-package' }, to: task.desired, fields: ['missing'] }]),
    ).toHaveLength(1)
  })
})

test('a version or an option is no package’s name', () => {
  expect(() => packages(['-o', 'x=1'])).toThrow(
    'package "-o": is not a package’s name\n  Give names only, no versions or options.',
  )
})
