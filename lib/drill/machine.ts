import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from '../engine/pool.ts'
import { HostError, LinkError } from '../errors.ts'
import { powerLoss, powerOn, powerOnAfter } from '../lab/faults.ts'
import { describeLab } from '../lab/lab.ts'
import type { ReceiverAnswer } from '../ledger/receiver.ts'
import type { Host } from '../model.ts'
import { armScript, faultId, forgetChangeScript, harmScript, healScript, noteChangeScript } from './arm.ts'
import type { ChangeFault, Fault } from './fault.ts'

/** A fault of a run, and what is done about it. All of them throw HostError where the machine refuses or can't be reached. */
export interface Breaking {
  readonly fault: Fault
  /** Lets the machine undo it by itself, or a lab its machine's power, after so many seconds at the latest; of a change, machines are told of it. */
  arm(seconds: number): Promise<void>
  harm(): Promise<void>
  /** Undoes it now; tries again while the machine can't be reached. */
  heal(): Promise<void>
}
type Machines = Pick<Pool, 'reach' | 'forget'>

const HEAL_MS = 60_000

/** The faults of a run, each with a number of its own. */
export const breakingsOf = (
  faults: readonly Fault[],
  {
    run,
    machines,
    lab,
    setReceiver,
    change,
  }: {
    readonly run: string
    readonly machines: Machines
    readonly lab?: string
    readonly setReceiver: (answer: ReceiverAnswer | null) => void
    readonly change: (fault: ChangeFault, to: 'harm' | 'undo') => Promise<void>
  },
): readonly Breaking[] =>
  faults.map((fault, number) => {
    const { host } = fault
    const id = faultId(run, number)
    if (fault.kind === 'power') {
      const name = (): string => labHost(host, lab)
      let callOff = (): void => undefined
      return {
        fault,
        async arm(seconds) {
          callOff = powerOnAfter(name(), seconds, lab)
        },
        harm: () => powerLoss(name(), lab),
        async heal() {
          machines.forget(host)
          await powerOn(name(), lab)
          callOff()
        },
      }
    }
    if (fault.kind === 'receiver')
      return {
        fault,
        arm: async () => undefined,
        harm: async () => setReceiver(fault.answer),
        heal: async () => setReceiver(null),
      }
    if (fault.kind === 'change') {
      let begun = false
      return {
        fault,
        async arm() {
          await Promise.all(fault.touches.map((one) => runOn(one, noteChangeScript(id, fault), machines)))
        },
        harm() {
          begun = true
          return change(fault, 'harm')
        },
        async heal() {
          if (begun) await change(fault, 'undo')
          await Promise.all(fault.touches.map((one) => persistently(one, forgetChangeScript(id), machines)))
        },
      }
    }
    const { refuses } = fault
    return {
      fault,
      async arm(seconds) {
        const said = refuses === undefined ? '' : await runOn(host, refuses, machines)
        if (said.trim() !== '') throw new HostError(host.name, `${fault.name}: not here: ${said.trim()}`)
        await runOn(host, armScript(id, fault, seconds), machines)
      },
      harm: async () => void (await runOn(host, harmScript(id, fault), machines)),
      heal: () => persistently(host, healScript(id), machines),
    }
  })

/** Runs a script, and returns what it printed. Throws HostError for another exit code than 0. */
export const runOn = async (host: Host, script: string, { reach, forget }: Machines): Promise<string> => {
  try {
    const { code, stdout, stderr } = await (await reach(host)).exec(script, { within: '2m', most: 64 * 1024 })
    if (code === 0) return stdout.toString()
    throw new HostError(host.name, stderr.trim().slice(0, 500) || `exit code ${code}`, { task: 'drill' })
  } catch (error) {
    if (error instanceof LinkError) forget(host)
    throw error
  }
}

const persistently = async (host: Host, script: string, machines: Machines): Promise<void> => {
  for (const deadline = Date.now() + HEAL_MS; ; await sleep(1_000)) {
    try {
      await runOn(host, script, machines)
      return
    } catch (error) {
      if (!(error instanceof HostError) || Date.now() > deadline) throw error
    }
  }
}

/** What the lab calls the machine with this address. Throws HostError where it has none such. */
const labHost = ({ name, link }: Host, lab: string | undefined): string => {
  const found = lab === undefined ? undefined : describeLab(lab).hosts.find(({ address }) => address === link.address)
  if (found) return found.name
  throw new HostError(name, 'it is no machine of a lab, so its power cannot be cut')
}
