import type { Kind } from '../model.ts'
import { certificateKind } from './certificate.ts'
import { commandKind } from './command.ts'
import { directoryKind } from './directory.ts'
import { fileKind } from './file.ts'
import { handoverKind } from './handover.ts'
import { maskedKind } from './masked.ts'
import { packagesKind } from './packages.ts'
import { releaseKind } from './release.ts'
import { serviceKind } from './service.ts'
import { symlinkKind } from './symlink.ts'
import { unitKind } from './unit.ts'
import { unitsKind } from './units.ts'
import { userKind } from './user.ts'

/** Every kind, in the order in which a role would use them. */
export const kinds: readonly Kind[] = [
  packagesKind,
  userKind,
  directoryKind,
  releaseKind,
  fileKind,
  certificateKind,
  symlinkKind,
  unitKind,
  handoverKind,
  serviceKind,
  maskedKind,
  unitsKind,
  commandKind,
]
