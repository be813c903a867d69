import type { CommonFlags } from '../../options.ts'

export interface ShardsFlags extends Omit<CommonFlags, 'inventory'> {
  readonly action: 'rules' | 'verify'
  readonly inventory?: readonly string[]
  readonly labels?: readonly string[]
  readonly rules?: string
  readonly within: string
}
