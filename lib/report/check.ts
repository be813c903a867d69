import type { Finding } from '../health/finding.ts'
import { counted } from '../wording.ts'
import { paint } from './paint.ts'
import { setIn, shown } from './print.ts'

/** What a check found, for people: each finding with why it bites and what to do, then a sum. */
export const checkText = (found: readonly Finding[], hosts: number): string => {
  const findings = shown(found)
  const count = (severity: Finding['severity']) => findings.filter((one) => one.severity === severity).length
  const sum = `${counted(hosts, 'host')} checked: ${counted(count('error'), 'error')}, ${counted(count('warning'), 'warning')}`
  return [
    ...findings.map(
      ({ id, severity, hosts: where, what, why, fix }) =>
        `${paint(severity === 'error' ? 'red' : 'yellow', `${severity} ${id}`)} ${where.join(', ')}: ${setIn(what)}\n  ${why}\n  ${fix}`,
    ),
    paint('bold', sum),
  ].join('\n')
}
