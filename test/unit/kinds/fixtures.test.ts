import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compare, why } from '../../../lib/engine/compare.ts'
import { command } from '../../../lib/kinds/command.ts'
import { directory } from '../../../lib/kinds/directory.ts'
import { file } from '../../../lib/kinds/file.ts'
import { handedOver } from '../../../lib/kinds/handover.ts'
import { masked } from '../../../lib/kinds/masked.ts'
import { packages } from '../../../lib/kinds/packages.ts'
import { release } from '../../../lib/kinds/release.ts'
import { type ServiceOptions, service } from '../../../lib/kinds/service.ts'
import { symlink } from '../../../lib/kinds/symlink.ts'
import { unit } from '../../../lib/kinds/unit.ts'
import { onlyUnits } from '../../../lib/kinds/units.ts'
import { systemUser } from '../../../lib/kinds/user.ts'
import type { Host, State, Task } from '../../../lib/model.ts'

/** What a probe printed on a machine, and what follows from it: one behaviour of a kind. */
interface Fixture {
  readonly says: string
  /** Arguments of the kind's builder, for each task. */
  readonly tasks: readonly (readonly unknown[])[]
  /** Text, or records that each end with a NUL. `sha256(text)` stands for that text's checksum. */
  readonly prints: string | readonly string[]
  readonly states: Readonly<Record<string, State>>
  /** Why each task that differs does, and the steps for all of them. */
  readonly why: readonly string[]
  readonly steps: readonly string[]
}
type Files = Readonly<Record<string, string>>
interface ServiceFixture extends Omit<ServiceOptions, 'unit' | 'loads' | 'restartsOn'> {
  readonly unit: string
  readonly loads: Files
  readonly restartsOn: Files
}

const files = (contents: Files) => Object.entries(contents).map(([path, content]) => file(path, content))

const builders: Readonly<Record<string, (...args: readonly never[]) => Task>> = {
  file,
  directory,
  symlink,
  user: systemUser,
  package: packages,
  masked,
  handover: handedOver,
  units: onlyUnits,
  unit,
  command,
  release: ({ tarball, ...what }: { tarball: string; name: string; version: string; binaries: string[] }) => {
    const task = release({ owner: 'o', repo: 'r', ...what }, { machine: { keepReleases: 1 } } as Host)
    return { ...task, desired: { ...task.desired, tarball } }
  },
  service: (name: string, { unit: text, loads, restartsOn, ...options }: ServiceFixture) =>
    service(name, {
      ...options,
      unit: unit(`${name}.service`, text),
      loads: files(loads),
      restartsOn: files(restartsOn),
    }),
}

const FOLDER = join(import.meta.dirname, 'fixtures')

const withSums = (text: string): string =>
  text.replaceAll(/sha256\(([^)]*)\)(\[:12\])?/g, (_, of, short) =>
    createHash('sha256')
      .update(of)
      .digest('hex')
      .slice(0, short ? 12 : 64),
  )

const read = (path: string): Fixture => JSON.parse(withSums(readFileSync(path, 'utf8')))

describe.each(readdirSync(FOLDER))('%s', (kind) => {
  const fixtures = readdirSync(join(FOLDER, kind)).map((name) => read(join(FOLDER, kind, name)))
  test.each(fixtures)('$says', ({ tasks: calls, prints, states, why: reasons, steps }) => {
    const tasks = calls.map((args) => builders[kind]?.(...(args as never[])) as Task)
    const stdout = Buffer.from(typeof prints === 'string' ? prints : prints.map((record) => `${record}\0`).join(''))
    const found = tasks[0]?.kind.parse(stdout, tasks) ?? new Map()
    expect(Object.fromEntries(found)).toEqual(states)
    const changes = tasks.flatMap((task) => compare(task, found.get(task.key) ?? null) ?? [])
    expect(changes.map(why)).toEqual(reasons)
    expect(changes.flatMap((change) => change.task.kind.converge(change)).map(({ title }) => title)).toEqual(steps)
  })
})
