#!/usr/bin/env zx
import { type ReplaceNodeFlags, replaceNodeOptions } from '../cli/node-options.ts'
import { runAsScript } from '../cli/script.ts'
import type { Role } from '../lib/model.ts'
import { shippedRoles } from '../roles/registry.ts'
import { addNode } from './add-node.ts'

/** A new machine takes the place of one that is gone: what is added is the new one, and nobody waits for the old. */
export const replaceNode = (roles: readonly Role[], name: string) => addNode(roles, [name], 'replace-node')

await runAsScript(import.meta, replaceNode(shippedRoles, ''), {
  positionals: '<old> <new>',
  options: replaceNodeOptions,
  run: async (flags: ReplaceNodeFlags) =>
    (await import('../cli/commands/replace-node.ts')).replaceNodeCommand(replaceNode, flags),
})
