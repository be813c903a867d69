import type { CommonFlags } from '../../options.ts'

export interface RoutesFlags extends CommonFlags {
  readonly action: 'test' | 'show' | 'diff' | 'coverage'
  readonly labels?: string
  readonly at?: string
  readonly days: number
  readonly exitCode: boolean
}
