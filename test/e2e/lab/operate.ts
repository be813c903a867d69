/** A lab operated by a program that comes and goes, as `vestal lab` does: `operate.ts up NAME HOSTS` or `operate.ts down NAME`. */
import { labDown, labUp } from '../../../lib/lab/lab.ts'

const [verb, name = '', hosts] = process.argv.slice(2)
try {
  if (verb === 'up') await labUp({ name, hosts: Number(hosts), mirror: false, onProgress: console.log })
  else console.log(await labDown(name))
} catch (error) {
  console.log(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
