/** Tells the end-to-end tests which lab they are in. Vitest runs it once, inside the lab's network. */
import type { TestProject } from 'vitest/node'
import { enterLab } from '../../lib/lab/enter.ts'
import { describeLab, type Lab } from '../../lib/lab/lab.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The lab that all end-to-end tests share: its hosts, key, known_hosts, mirror and receiver. */
    lab: Lab
  }
}

/** The lab that run.ts brings up. */
export const testLab = process.env.VESTAL_TEST_LAB ?? 'test'

export default ({ provide }: TestProject): void => {
  if (enterLab(testLab) !== null)
    throw new Error("end-to-end tests run inside the lab's network: start them with 'node test/e2e/run.ts'")
  provide('lab', describeLab(testLab))
}
