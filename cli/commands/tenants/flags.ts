import type { CommonFlags } from '../../options.ts'

export interface TenantsFlags extends Omit<CommonFlags, 'inventory'> {
  readonly action: 'plan' | 'sync' | 'verify' | 'list' | 'capacity'
  readonly inventory?: readonly string[]
  readonly prune: boolean
  readonly skipInvalid: boolean
  readonly canaries?: readonly string[]
  readonly within: string
  readonly tenants?: number
  readonly perInstance: number
  readonly more: number
  readonly running: boolean
  readonly choose: boolean
}
