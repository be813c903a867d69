/** Runs `vestal` and takes its measure: how it ended, how long it took, and the most memory that it ever had. */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { type Ended, startVestal } from '../vestal.ts'

export interface Measured extends Ended {
  readonly seconds: number
  /** VmHWM of proc(5): the peak of its resident memory. */
  readonly peakMiB: number
}
/** No run may take more, whatever hosts say. */
const MOST_MIB = 400

/** Runs a command to its end, or for so many seconds: a run that takes longer has no limit where it needs one. */
export const measured = async (words: readonly string[], seconds: number): Promise<Measured> => {
  const began = Date.now()
  const running = startVestal(words)
  let peak = 0
  const look = setInterval(() => {
    peak = Math.max(peak, peakOf(running.pid))
  }, 20)
  const late = setTimeout(() => running.kill('SIGKILL'), seconds * 1_000)
  const ended = await running.ended
  clearInterval(look)
  clearTimeout(late)
  const measure = { ...ended, seconds: (Date.now() - began) / 1_000, peakMiB: Math.round(peak / 1024) }
  console.log(
    `${words[0]} took ${measure.seconds.toFixed(0)} s and ${measure.peakMiB} MiB, and ended with ${ended.code}`,
  )
  return measure
}

/** It ended by itself and by its own report, within its memory, and nothing that a terminal obeys is in what it said. */
export const expectOwnEnd = ({ code, stdout, stderr, peakMiB }: Measured, codes: readonly number[] = [1]): void => {
  const said = stdout + stderr
  expect(codes, said.slice(-3_000)).toContain(code)
  expect(said).not.toMatch(/bug in Vestal|node:internal|heap out of memory/)
  expect(said).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]/)
  expect(peakMiB).toBeGreaterThan(30)
  expect(peakMiB).toBeLessThan(MOST_MIB)
}

const peakOf = (pid: number): number => {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
