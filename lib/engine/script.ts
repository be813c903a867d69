import { KEPT_DAYS, LAST_RUN, STATE, UPLOADS, undoOf } from '../host-paths.ts'
import type { Step, Task } from '../model.ts'
import { bytesOf } from '../secret.ts'
import { word } from '../shell.ts'
import type { Frame } from './frame.ts'
import { type LockRequest, lockFunctions, takeLock } from './lock.ts'
import { probeScript } from './probe.ts'

export interface ApplyRequest {
  readonly steps: readonly Step[]
  /** Read again at the end, in the same round trip. */
  readonly verify: readonly Task[]
  readonly lock: LockRequest
  /** The run that had last changed the host when it was probed; another one since means the plan is out of date. */
  readonly lastRun: string
  /** Of the host among those of its machine: the way back is kept under it. */
  readonly instance?: string
}

/**
 * One script that takes the host's lock, carries out steps in order, takes them back when one fails, and reads the state again.
 * Each step runs in a shell of its own with `set -eu`; no step starts after the link is gone, because the marker before it cannot be printed.
 */
export const applyScript = (request: ApplyRequest, frame: Frame): string =>
  [
    opening(request, frame),
    'vestal_failed=',
    ...request.steps.map((step, index) => stepScript(step, index, frame)),
    `if [ -n "$vestal_failed" ]; then`,
    ...backwards(request.steps, frame),
    ':',
    'else',
    keepUndo(request),
    'fi',
    probeScript(request.verify, frame),
  ].join('\n')

/** One script that takes back steps which an earlier script of the same run had finished, all of them, and reads the state again. */
export const takeBackScript = (request: ApplyRequest, frame: Frame): string =>
  [
    opening(request, frame),
    ...request.steps.flatMap((step, index) =>
      step.logTail ? [frame.mark('words', String(index)), subshell(step.logTail)] : [],
    ),
    `vestal_failed=${request.steps.length}`,
    `rm -f ${undoOf(request.instance)}/${word(request.lock.run)}.*.sh`,
    ...backwards(request.steps, frame),
    probeScript(request.verify, frame),
  ].join('\n')

/** How many ways back stay. */
const KEPT_UNDO = 10

/** Only once every step went well: half a change has no way back but the next run. The shell fragments hold no secret. */
const keepUndo = ({ steps, lock, instance }: ApplyRequest): string => {
  if (!steps.some(({ restore }) => restore !== undefined)) return ':'
  const fragments = [
    ...[...steps].reverse().flatMap(({ undo }) => undo ?? []),
    ...steps.flatMap(({ restore }) => restore ?? []),
  ]
  const script = [
    `export VESTAL_RUN=${word(lock.run)}`,
    'failed=',
    ...fragments.map((text) => `( set -eu\n${text}\n) </dev/null || failed=yes`),
    '[ -z "$failed" ]',
  ].join('\n')
  const undo = undoOf(instance)
  return `( umask 077
mkdir -p ${undo}
number=1
while [ -e ${undo}/${word(lock.run)}.$number.sh ]; do number=$((number + 1)); done
base64 -d >${undo}/.new <<'VESTAL_UNDO'
${base64(Buffer.from(`${script}\n`))}VESTAL_UNDO
mv -f ${undo}/.new ${undo}/${word(lock.run)}.$number.sh
find ${undo} -maxdepth 1 -name '*.sh' -mtime +${KEPT_DAYS} -exec rm -f {} +
ls -1t ${undo} | tail -n +${KEPT_UNDO + 1} | while IFS= read -r old; do rm -f "${undo}/$old"; done )`
}

const opening = ({ lock, lastRun }: ApplyRequest, frame: Frame): string =>
  [
    lockFunctions,
    frame.mark('lock'),
    takeLock(lock),
    clearUploads,
    `vestal_last=; if [ -r ${LAST_RUN} ]; then IFS= read -r vestal_last <${LAST_RUN}; fi`,
    `if [ "$vestal_last" != ${word(lastRun)} ] && [ "$vestal_last" != ${word(lock.run)} ]; then printf '%s\\n' "$vestal_last"; exit 76; fi`,
    `mkdir -p -m 0700 ${STATE}`,
    frame.mark('changing'),
    `printf '%s\\n' ${word(lock.run)} >${STATE}/.last-run && mv -f ${STATE}/.last-run ${LAST_RUN} || exit 77`,
    `export VESTAL_RUN=${word(lock.run)}`,
  ].join('\n')

const backwards = (steps: readonly Step[], frame: Frame): readonly string[] => [
  ...steps
    .map((step, index) => ({ step, index }))
    .reverse()
    .map(({ step, index }) => undoScript(step, index, frame)),
  ...steps.map((step, index) => restoreScript(step, index, frame)),
]

/** However the script ends: with a step that fails, or with the link, which a marker then cannot be printed to. */
const clearUploads = `trap 'rm -rf ${UPLOADS}' EXIT
trap 'exit 74' HUP INT TERM PIPE`

const stepScript = (step: Step, index: number, frame: Frame): string =>
  `if [ -z "$vestal_failed" ]; then
${frame.mark('step', String(index))}
${subshell(step.run, step.stdin === undefined ? undefined : bytesOf(step.stdin))}
vestal_code=$?
${frame.mark('code', `${index} $vestal_code`)}
[ $vestal_code -eq 0 ] || vestal_failed=${index}
fi`

const undoScript = (step: Step, index: number, frame: Frame): string =>
  step.undo
    ? `if [ "$vestal_failed" -gt ${index} ]; then
${frame.mark('undo', String(index))}
${subshell(step.undo)}
${frame.mark('undone', `${index} $?`)}
fi`
    : ''

const restoreScript = (step: Step, index: number, frame: Frame): string =>
  step.restore
    ? `if [ "$vestal_failed" -ge ${index} ]; then
${frame.mark('undo', String(index))}
${subshell(step.restore)}
${frame.mark('undone', `${index} $?`)}
fi`
    : ''

/** Not inside a condition: a shell ignores `set -e` there. The input is base64 text in the script, so that none of it can be cut off. */
const subshell = (run: string, stdin?: Buffer): string => {
  const body = `( set -eu\n${run}\n) 2>&1`
  if (stdin === undefined) return `${body} </dev/null`
  return `{ base64 -d | ${body}\n} <<'VESTAL_INPUT'\n${base64(stdin)}VESTAL_INPUT`
}

const base64 = (bytes: Buffer): string => bytes.toString('base64').replaceAll(/.{1,76}/g, '$&\n')
