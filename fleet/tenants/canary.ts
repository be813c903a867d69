import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { Secret } from '../../lib/secret.ts'
import { CANARY_TENANT, canaryConfig } from '../../roles/cortex-alertmanager/canary.ts'
import type { CortexVars } from '../../roles/cortex-alertmanager/vars.ts'
import { bodyOf, type Tenant, type TenantBody } from './tenant.ts'

/** The tenant of canary alerts as a ring is to have it: with the token that is there already, or one made at random. */
export const canaryTenant = (canary: CortexVars['canary'], stored: TenantBody | null): Tenant =>
  tenantWith(canary, tokenOf(stored) ?? randomBytes(32).toString('hex'))

/** The token that the receiver of canary alerts sends; null where the ring has not that tenant, or not as it is to be. */
export const canaryTokenIn = (canary: CortexVars['canary'], stored: TenantBody | null): string | null => {
  const token = tokenOf(stored)
  return token !== null && isDeepStrictEqual(stored, bodyOf(tenantWith(canary, token))) ? token : null
}

const tenantWith = (canary: CortexVars['canary'], token: string): Tenant => ({
  name: CANARY_TENANT,
  config: canaryConfig(canary, new Secret(token)),
  templates: {},
  file: 'cortex_alertmanager.canary',
})

/** What a ring says is a stranger's: anything but a token of ours is none. */
const tokenOf = (stored: TenantBody | null): string | null =>
  /^ *credentials: "([0-9a-f]{64})"$/m.exec(stored?.alertmanager_config ?? '')?.[1] ?? null
