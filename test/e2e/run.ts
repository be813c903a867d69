/**
 * Runs the end-to-end tests inside the network of a lab of their own: `node test/e2e/run.ts [--keep] [--suite NAME] [what vitest takes]`.
 * `--keep` leaves the lab up for a next run. `--suite` is another project of vitest.config.ts than `e2e`, such as `kill`.
 * VESTAL_TEST_HOSTS says how many hosts the lab has; if unset, 7, or 10 for the suites `shards` and `drills`, 6 for `machines`, 4 for `exporters`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { enterLab } from '../../lib/lab/enter.ts'
import { labDown, labUp } from '../../lib/lab/lab.ts'
import { claimRoot } from '../../lib/lab/own.ts'
import { ensureCortex } from '../cortex/tools.ts'
import { ensurePackages } from '../debian-packages.ts'
import { ensureExporters, mirrorExporters } from '../exporters/tools.ts'
import { ensureStatic } from '../machines/tools.ts'
import { ensureThanos } from '../thanos/tools.ts'
import { testLab } from './lab-setup.ts'
import { SYSTEMS } from './machines/systems.ts'

const words = process.argv.slice(2)
const named = words.indexOf('--suite')
const suite = (named < 0 ? undefined : words[named + 1]) ?? 'e2e'
const keep = words.includes('--keep')
const forVitest = words.filter((word, at) => word !== '--keep' && (named < 0 || (at !== named && at !== named + 1)))
const HOSTS: Readonly<Record<string, number>> = { shards: 10, drills: 10, machines: 6, exporters: 4 }
const hosts = Number(process.env.VESTAL_TEST_HOSTS ?? HOSTS[suite] ?? 7)
/** What the tests leave behind, such as their runs' folders, goes when they end. */
const scratch = mkdtempSync(join(tmpdir(), 'vestal-e2e-'))

const runVitest = async (): Promise<number> => {
  const [program = '', ...rest] = [...(enterLab(testLab) ?? []), 'vitest', 'run', '--project', suite, ...forVitest]
  const child = spawn(program, rest, {
    stdio: 'inherit',
    // The tests of the lab itself bring labs up and down, which is done from outside any lab: where this process is.
    env: { ...process.env, TMPDIR: scratch, VESTAL_TEST_OUTSIDE: `${process.pid}` },
  })
  // Vitest gets the terminal's Ctrl-C itself. We stay to take the lab down.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  const [code] = await once(child, 'close')
  return typeof code === 'number' ? code : 130
}

/** What a fleet is made of that was set up from Debian's packages. */
const DEBIAN_STACK = ['', '-alertmanager', '-node-exporter', '-blackbox-exporter'].map((name) => `prometheus${name}`)

/** What suites need that no release mirror has of itself. */
const NEEDS: Readonly<Record<string, (say: (what: string) => void) => Promise<string | null>>> = {
  cortex: ensureCortex,
  shards: ensureThanos,
  drills: async (say) => (await ensureThanos(say)) ?? ensureCortex(say),
  exporters: ensureExporters,
  machines: ensureStatic,
  adopt: async (say) => {
    claimRoot()
    await mirrorExporters(say)
    await ensurePackages('adopt-packages', DEBIAN_STACK, say)
    await ensurePackages('adopt-podman', ['podman', 'crun', 'catatonit'], say)
    return null
  },
}
/** Why this suite can't run here, or null. */
const missing = (await NEEDS[suite]?.((what) => console.log(what))) ?? null

try {
  if (missing !== null) console.log(`SKIPPED: the suite ${suite}, as ${missing}`)
  else {
    await labUp({
      name: testLab,
      hosts,
      systems: suite === 'machines' ? SYSTEMS : {},
      onProgress: (what) => console.log(`lab '${testLab}': ${what}`),
    })
    process.exitCode = await runVitest()
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
  if (!keep && missing === null) await labDown(testLab)
}
