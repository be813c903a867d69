import type { Exporter } from '../../lib/program/exporter.ts'
import { blackbox } from './catalogue/blackbox.ts'
import { processes } from './catalogue/process.ts'
import { redis } from './catalogue/redis.ts'

/** The exporters that come with Vestal. The order is that of files that are made of all of them. */
export const catalogue: readonly Exporter[] = [blackbox, processes, redis]
