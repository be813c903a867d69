import { randomBytes } from 'node:crypto'
import { hideKnownSecrets } from '../known-secrets.ts'
import type { Connection, Plan } from '../model.ts'
import { taskId } from '../model.ts'
import { bytesOf, isSecret } from '../secret.ts'
import { word } from '../shell.ts'
import { frame } from './frame.ts'
import type { PlannedHost, PlannedTask } from './plan.ts'

const LARGEST = 256 * 1024

/** Unified diffs of a host's files about to change, by task id; files with secrets are only named. One exec, only when there is something to fetch. */
export const textDiffs = async (connection: Connection, host: PlannedHost): Promise<ReadonlyMap<string, string>> => {
  const files = host.planned.flatMap((planned) => {
    const text = planned.change.task.kind.text?.(planned.change.task)
    return text ? [{ planned, ...text, fetch: planned.change.from !== null && !isSecret(text.content) }] : []
  })
  const wanted = files.filter(({ fetch }) => fetch)
  const now =
    wanted.length > 0
      ? await currentTexts(
          connection,
          wanted.map(({ path }) => path),
        )
      : new Map<string, string>()
  return new Map(
    await Promise.all(
      files.map(
        async ({ planned, path, content }): Promise<[string, string]> => [
          idOf(planned),
          isSecret(content)
            ? `${path} holds secrets: no diff is shown`
            : await patch(path, now.get(path) ?? '', content),
        ],
      ),
    ),
  )
}

/** The plan with each change's diff in it. */
export const withDiffs = (plan: Plan, diffs: ReadonlyMap<string, ReadonlyMap<string, string>>): Plan => ({
  ...plan,
  batches: plan.batches.map((batch) => ({
    ...batch,
    hosts: batch.hosts.map((host) => ({
      ...host,
      changes: host.changes.map((change) => ({ ...change, diff: diffs.get(host.host)?.get(change.task) })),
    })),
  })),
})

const idOf = ({ item }: PlannedTask): string => taskId(item.task)

const currentTexts = async (connection: Connection, paths: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  const marks = frame(randomBytes(8).toString('hex'))
  const script = [
    ...paths.flatMap((path, index) => [
      marks.mark('file', String(index)),
      `head -c ${LARGEST} -- ${word(path)} 2>/dev/null`,
    ]),
    marks.mark('end'),
  ]
  const { stdout } = await connection.exec(script.join('\n'), {
    most: paths.length * (LARGEST + 100) + 1024,
    within: '4m',
  })
  return new Map(
    marks
      .split(stdout)
      .flatMap(({ event, detail, body }) =>
        event === 'file' ? [[paths[Number(detail)] ?? '', body.toString()] as const] : [],
      ),
  )
}

const patch = async (path: string, from: string, content: Parameters<typeof bytesOf>[0]): Promise<string> => {
  const text = bytesOf(content).toString()
  if (text.length > LARGEST || from.length >= LARGEST)
    return `${path} is larger than ${LARGEST / 1024} KiB: no diff is shown`
  const { createTwoFilesPatch } = await import('diff')
  // What is there now may be of another's making, or of a time when secrets still stood in it.
  const [now, planned] = [hideKnownSecrets(from), hideKnownSecrets(text)]
  return createTwoFilesPatch(path, path, now, planned, 'now', 'planned', { context: 3 })
}
