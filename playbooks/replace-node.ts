#!/usr/bin/env zx
import { withBook } from '../cli/command.ts'
import { runAsScript } from '../cli/script.ts'
import type { Role } from '../lib/model.ts'
import { addNode } from './add-node.ts'

/** A new machine takes the place of one that is gone: what is added is the new one, and nobody waits for the old. */
export const replaceNode = (roles: readonly Role[], names: readonly string[]) => addNode(roles, names, 'replace-node')

await runAsScript(import.meta, async () =>
  withBook((await import('../cli/commands/replace-node.ts')).default, replaceNode),
)
