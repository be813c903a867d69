/** Gives a lab host its power back after some time, whoever has taken it is gone by then: `power-main.ts LAB HOST SECONDS`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { powerOn } from './faults.ts'

const [lab = '', host = '', seconds = ''] = process.argv.slice(2)
await sleep(Number(seconds) * 1000)
await powerOn(host, lab)
