import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Node keeps compiled and type-stripped modules between runs: halves the start. Imported before everything else. */
enableCompileCache(join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vestal', 'node'))
