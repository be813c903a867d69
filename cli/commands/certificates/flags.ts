import type { ChangeFlags } from '../../options.ts'

export interface CertificatesFlags extends ChangeFlags {
  readonly action: 'init' | 'status' | 'renew' | 'rotate-authority'
  readonly years: number
  readonly all: boolean
}
