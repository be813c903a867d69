/** Why a certificate is refused, in words that are the same wherever one is looked at. */
export const expiredOn = (until: string): string => `it expired on ${until}`
export const NOT_VALID_YET = 'it is not valid yet: one of the two clocks is wrong'
export const FOREIGN = 'it is foreign: none of the authorities that the fleet trusts has issued it'
export const notMadeOutTo = (name: string): string => `it is not made out to ${name}`
