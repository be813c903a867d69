import type { Finding } from '../health/finding.ts'
import { paint } from './paint.ts'

/** What a check found, for people: each finding with why it bites and what to do, then a sum. */
export const checkText = (findings: readonly Finding[], hosts: number): string => {
  const count = (severity: Finding['severity']) => findings.filter((one) => one.severity === severity).length
  const sum = `${hosts} hosts looked at: ${plural(count('error'), 'error')}, ${plural(count('warning'), 'warning')}`
  return [
    ...findings.map(
      ({ id, severity, hosts: where, what, why, fix }) =>
        `${paint(severity === 'error' ? 'red' : 'yellow', `${severity} ${id}`)} ${where.join(', ')}: ${what}\n  ${why}\n  ${fix}`,
    ),
    paint('bold', sum),
  ].join('\n')
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
