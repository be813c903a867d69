import { showMilliseconds } from '../duration.ts'
import type { RunEvent } from '../engine/events.ts'
import { lockText } from '../engine/lock.ts'
import type { Advice, Lock } from '../model.ts'
import { counted } from '../wording.ts'
import { alertsLine } from './alerts.ts'
import { setIn, shown } from './print.ts'

/** One plain line for an event, for logs and terminals without live display; null for events that are not worth a line. */
export const lineOf = (happened: RunEvent, verbose: boolean): string | null => {
  const event = shown(happened)
  switch (event.event) {
    case 'host-read':
      return verbose ? `${event.host}: read ${counted(event.tasks, 'task')} in ${showMilliseconds(event.ms)}` : null
    case 'host-locked':
      return `${event.host}: ${waitsFor(event.lock)}`
    case 'host-failed':
      return `${event.host}: FAILED ${event.task}: ${setIn(event.why)}`
    case 'batch-started':
      return `${event.play}: ${event.hosts.join(', ')}${event.interrupts ? ' (interrupting)' : ''}`
    case 'upload':
      return event.sent === event.of ? `${event.host}: sent ${event.title}` : null
    case 'step':
      return stepLine(event, verbose)
    case 'host-done':
      return `${event.host}: ${event.changed} changed in ${showMilliseconds(event.ms)}`
    case 'gate':
      return gateLine(event, verbose)
    case 'caught-up':
      return verbose || event.failed ? `${event.host}: ${setIn(event.what)}` : null
    case 'taken-back':
      return `${event.host}: TAKEN BACK ${event.whole ? 'to what it ran before' : 'in part'}: ${setIn(event.because)}`
    case 'stopped':
      return `${event.play}: STOPPED: ${setIn(event.why)}`
    case 'fault':
      return faultLine(event, verbose)
    case 'seen':
      return `${event.host}: ${event.service} ${seenText(event)}`
    case 'advice':
      return adviceText(event)
    case 'kept':
      return verbose ? `${event.host}: kept ${event.name}` : null
    case 'inventory-written':
      return `inventory: wrote ${event.files.join(', ')}${verbose ? `\n    ${setIn(event.diff)}` : ''}`
    case 'alerts':
      return verbose ? `canaries: ${alertsLine(event.alerts)}` : null
    case 'interrupted':
      return 'Interrupted: what is under way is finished, nothing new is started. Once more abandons it.'
    default:
      return null
  }
}

/** Whose script a read waits for, and how long. */
export const waitsFor = (lock: Lock): string =>
  `${lockText(lock)}, whose script is at work there: waiting for it to end, for a minute at most`

const LEVEL = { blocks: 'BLOCKS', warns: 'warning', notes: 'note' } as const

/** One finding: where, what, and on lines of their own why it bites and what to do. */
export const adviceText = (advice: Advice): string => {
  const { level, where, what, why, fix } = shown(advice)
  return `${LEVEL[level]} ${where}: ${setIn(what)}\n    why: ${setIn(why)}\n    do:  ${setIn(fix)}`
}

const faultLine = ({ name, state, why }: RunEvent & { event: 'fault' }, verbose: boolean): string | null => {
  if (state === 'armed') return verbose ? `${name}: its undo stands on the machine` : null
  return `${name}${state === 'begun' ? '' : `: ${state.toUpperCase()}`}${why ? `: ${setIn(why)}` : ''}`
}

const seenText = ({ serves, members, why }: RunEvent & { event: 'seen' }): string =>
  `${serves ? 'serves' : 'does not serve'}${members === undefined ? '' : `, sees ${counted(members, 'member')}`}${why && !serves ? `: ${setIn(why)}` : ''}`

const stepLine = (event: RunEvent & { event: 'step' }, verbose: boolean): string | null => {
  if (event.state === 'started') return null
  const output = event.output && (verbose || event.state === 'failed') ? `\n    ${setIn(event.output)}` : ''
  return `${event.host}: ${event.title}${event.state === 'done' ? '' : ` ${event.state.toUpperCase()}`}${output}`
}

const gateLine = ({ host, name, verdict, last, ms }: RunEvent & { event: 'gate' }, verbose: boolean): string | null => {
  if (verdict.pass) return verbose || ms > 1_000 ? `${host}: ${name}: yes, after ${showMilliseconds(ms)}` : null
  return last
    ? `${host}: ${name}: NO: ${setIn(verdict.why)}`
    : verbose
      ? `${host}: ${name}: not yet: ${setIn(verdict.why)}`
      : null
}
