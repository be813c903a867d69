import type { ChangeFlags } from '../../options.ts'

export interface CertificatesFlags extends ChangeFlags {
  readonly action: 'init' | 'status' | 'renew' | 'rotate-authority' | 'gossip'
  readonly years: number
  readonly all: boolean
  readonly oneByOne: boolean
  readonly metrics?: string
}
