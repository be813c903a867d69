import type { Advice, AlertsReport, Facts, Host, Lock, Plan, RunReport, SteadySample, Verdict } from '../model.ts'
import { mapStrings, mapText } from '../values.ts'

/** What happens in a run, as it happens. Views, the run's folder and `--json` are all made of these; `at` is RFC 3339. */
export type RunEvent = { readonly at: string } & (
  | {
      readonly event: 'run-started'
      readonly run: string
      readonly playbook: string
      readonly inventory: string
      readonly hosts: readonly string[]
    }
  | {
      readonly event: 'host-read'
      readonly host: string
      readonly facts: Facts
      readonly tasks: number
      readonly ms: number
    }
  /** Another run's script is at work there; reading it waits for that to end. */
  | { readonly event: 'host-locked'; readonly host: string; readonly lock: Lock }
  | {
      readonly event: 'host-failed'
      readonly host: string
      readonly task: string
      readonly why: string
      readonly hint?: string
    }
  | { readonly event: 'planned'; readonly plan: Plan }
  | {
      readonly event: 'batch-started'
      readonly play: string
      readonly hosts: readonly string[]
      readonly interrupts: boolean
    }
  | {
      readonly event: 'upload'
      readonly host: string
      readonly title: string
      readonly sent: number
      readonly of: number
    }
  | {
      readonly event: 'step'
      readonly host: string
      readonly task: string
      readonly title: string
      readonly state: 'started' | 'done' | 'failed' | 'taken back' | 'not taken back'
      readonly output?: string
    }
  | {
      readonly event: 'host-done'
      readonly host: string
      readonly play: string
      readonly changed: number
      readonly ms: number
    }
  | {
      readonly event: 'gate'
      readonly host: string
      readonly play: string
      readonly name: string
      readonly verdict: Verdict
      readonly last: boolean
      readonly ms: number
    }
  | {
      /** Something that a run keeps beside its report; `text` is in the run's folder. */
      readonly event: 'kept'
      readonly host: string
      readonly name: string
      readonly text: string
    }
  /** What an interrupted host was given, so that it need not wait for it; or why it could not be. */
  | {
      readonly event: 'caught-up'
      readonly host: string
      readonly play: string
      readonly what: string
      readonly failed?: true
    }
  | {
      readonly event: 'taken-back'
      readonly host: string
      readonly play: string
      readonly because: string
      /** False where something could not be put back. */
      readonly whole: boolean
      /** What its services had said last. */
      readonly said: string
      readonly ms: number
    }
  | { readonly event: 'stopped'; readonly play: string; readonly why: string }
  | {
      /** The inventory's own files were changed; `diff` is all of it. */
      readonly event: 'inventory-written'
      readonly files: readonly string[]
      readonly diff: string
    }
  /** How the canary alerts of a watched run stand; the last one before `run-ended` is what the report has. */
  | { readonly event: 'alerts'; readonly alerts: AlertsReport }
  | ({ readonly event: 'advice' } & Advice)
  | {
      /** Of a drill: its undo stands on the machine, the harm is done, it is undone. */
      readonly event: 'fault'
      readonly host: string
      readonly name: string
      readonly state: 'armed' | 'begun' | 'undone' | 'not undone'
      readonly why?: string
    }
  /** A service is seen other than before, while a drill watches it. */
  | ({ readonly event: 'seen' } & Omit<SteadySample, 'at'>)
  | { readonly event: 'interrupted' }
  | { readonly event: 'run-ended'; readonly report: RunReport }
)
type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never
export type Emit = (event: WithoutTime<RunEvent>) => void

/** Adds the time to each event, takes the secrets out of every text in it by `redact`, and hands it to every listener. */
export const emitter =
  (redact: (text: string) => string, ...listeners: readonly ((event: RunEvent) => void)[]): Emit =>
  (event) => {
    const timed = { at: new Date().toISOString(), ...event } as RunEvent
    const told = mapStrings(timed.event === 'kept' ? { ...timed, text: '' } : timed, redact)
    const whole =
      told.event === 'kept' && timed.event === 'kept' ? { ...told, text: mapText(timed.text, redact) } : told
    for (const listen of listeners) listen(whole)
  }

/** Events about one host carry its name. */
export const namesOf = (hosts: readonly Host[]): readonly string[] => hosts.map(({ name }) => name)
