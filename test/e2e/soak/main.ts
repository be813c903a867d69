/** `npm run test:soak -- --minutes 60 --out soak.json`: rolls, reloads and changes of configuration for that long on a lab with TLS, under canary alerts. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, out: { type: 'string', default: 'soak.json' } },
})
const minutes = Number(values.minutes)
if (!(minutes > 0 && minutes <= 24 * 60)) {
  console.error(`--minutes takes a number up to ${24 * 60}, not ${values.minutes}`)
  process.exit(2)
}
const child = spawn(process.execPath, [join(import.meta.dirname, '../run.ts'), '--suite', 'soak'], {
  stdio: 'inherit',
  env: { ...process.env, VESTAL_MINUTES: String(minutes), VESTAL_SOAK_OUT: resolve(values.out) },
})
// The tests' runner gets the terminal's Ctrl-C itself, and takes its lab down.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
const [code] = await once(child, 'close')
process.exitCode = typeof code === 'number' ? code : 130
