/** Faults as data: what is done to a machine, and how that is undone. Pure: shell is returned, none is run. */
import { isIP } from 'node:net'
import { asOwner, onlyRootsWay } from '../as-owner.ts'
import type { ReceiverAnswer } from '../ledger/receiver.ts'
import type { Host } from '../model.ts'
import { word, words } from '../shell.ts'
import { DoesNotApply } from './does-not-apply.ts'

export type Fault = MachineFault | LabFault | ReceiverFault | ChangeFault
interface AnyFault {
  /** In words, past tense: `Alertmanager of am-1 is killed`. */
  readonly name: string
  readonly host: Host
  /** The service that does not serve meanwhile, as its systemd unit; `machine` for all of them. Left out where all go on. */
  readonly takes?: string
  /** How long it takes it for, in milliseconds; default: until it is undone. */
  readonly forMs?: number
  /** How long after the first fault it is begun, in milliseconds. Default: with it. */
  readonly afterMs?: number
}
/** Done on the machine, and undone there, by a timer of the machine's own where nobody else does. */
export interface MachineFault extends AnyFault {
  readonly kind: 'machine'
  /** POSIX sh, as root with `set -eu`; `$vestal_drill` is a name of its own, `[a-z0-9_]+`. */
  readonly harm: string
  /** POSIX sh, as root; may run twice, before the harm or after it has gone by itself. Exits 0 once the harm is undone. */
  readonly undo: string
  /** POSIX sh that says on standard output why the harm can't be done on this machine; nothing where it can. Changes nothing. */
  readonly refuses?: string
}
/** Done to a machine of a lab from outside. */
export interface LabFault extends AnyFault {
  readonly kind: 'power'
}

/**
 * A change that an operator makes, by a run of Vestal's own: on a copy of the inventory, so that its files stay as they are. The run has gates and locks of its own, and
 * takes back what fails; the undo is another run. Where neither gets to its end, what is left is a fleet that works. Its machines know of the change: `vestal drill heal`
 * deploys the inventory, and no other drill is begun before.
 */
export interface ChangeFault extends AnyFault {
  readonly kind: 'change'
  /** Command lines, without `vestal` and without the inventory, one after the other. */
  readonly commands: readonly (readonly string[])[]
  /** The same for the undo; each may have been done already. After them the fleet is deployed as its inventory says. */
  readonly undo: readonly (readonly string[])[]
  /** The hosts whose services may stop serving meanwhile, in turn. They are told of the change before it. */
  readonly touches: readonly Host[]
}

/** A service that is restarted serves again after so long at most. */
const RESTART_MS = 15_000

/** Done to the receiver of canary alerts, which is the drill's own: no other's notifications come to it, and it ends with the drill. */
export interface ReceiverFault extends AnyFault {
  readonly kind: 'receiver'
  readonly answer: ReceiverAnswer
}

/** SIGKILL to all processes of a service. systemd starts it again where its unit says so; the undo does in any case. */
export const killed = (host: Host, unit: string, title = unit): MachineFault => ({
  kind: 'machine',
  name: `${title} of ${host.name} is killed`,
  host,
  takes: unit,
  harm: `systemctl kill --signal=KILL ${service(unit)}`,
  undo: startAgain(unit),
})

/** Killed again and again, every few seconds, as a process that crashes at its start is. */
export const crashing = (host: Host, unit: string, title = unit): MachineFault => ({
  kind: 'machine',
  name: `${title} of ${host.name} crashes again and again`,
  host,
  takes: unit,
  harm: `systemd-run --quiet --collect --unit="vestal-crash-$vestal_drill" sh -c ${word(`while :; do systemctl kill --signal=KILL ${service(unit)}; sleep 4; done`)}`,
  undo: `systemctl stop "vestal-crash-$vestal_drill.service" 2>/dev/null || :\n${startAgain(unit)}`,
})

export const stopped = (host: Host, unit: string, title = unit): MachineFault => ({
  kind: 'machine',
  name: `${title} of ${host.name} is stopped`,
  host,
  takes: unit,
  harm: `systemctl stop ${service(unit)}`,
  undo: startAgain(unit),
})

/** SIGKILL, and not started again before the end: what its machine's loss is to all others. */
export const dead = (host: Host, unit: string, title = unit): MachineFault => ({
  kind: 'machine',
  name: `${title} of ${host.name} is lost`,
  host,
  takes: unit,
  // Stopped first, without waiting: systemd would start it again.
  harm: `systemctl stop --no-block ${service(unit)}\nsystemctl kill --signal=KILL ${service(unit)} 2>/dev/null || :\nsystemctl stop ${service(unit)}`,
  undo: startAgain(unit),
})

/**
 * SIGKILL, and from then on a part of the processor only, in percent: it runs for that part of each 200 ms, and stands still for the rest. What it must read before it
 * serves takes so much longer.
 */
export const killedAndSlow = (
  host: Host,
  { unit, title = unit, percent }: { readonly unit: string; readonly title?: string; readonly percent: number },
): MachineFault => {
  const runs = ((200 * percent) / 100_000).toFixed(3)
  const stands = ((200 * (100 - percent)) / 100_000).toFixed(3)
  // Its process is another one after each start, and is to be caught as soon as it is there.
  const slow = `while :; do
  pid=$(systemctl show -P MainPID ${service(unit)})
  if [ "$pid" = 0 ]; then sleep 0.02; continue; fi
  kill -STOP "$pid"; sleep ${stands}; kill -CONT "$pid"; sleep ${runs}
done`
  return {
    kind: 'machine',
    name: `${title} of ${host.name} is killed, and starts with ${percent} % of a processor`,
    host,
    takes: unit,
    harm: `systemd-run --quiet --collect --unit="vestal-slow-$vestal_drill" sh -c ${word(slow)}
systemctl kill --signal=KILL ${service(unit)}`,
    undo: `systemctl stop "vestal-slow-$vestal_drill.service" 2>/dev/null || :
systemctl kill --signal=CONT ${service(unit)} 2>/dev/null || :
${startAgain(unit)}`,
  }
}

/** So many series more for everyone who scrapes this machine, by a file that its node_exporter reads. */
export const moreSeries = (
  { host, folder }: { readonly host: Host; readonly folder: string },
  series: number,
): MachineFault => ({
  kind: 'machine',
  name: `${host.name} shows ${series} more series`,
  host,
  harm: asOwner(
    folder,
    `awk -v n="$2" 'BEGIN { for (i = 0; i < n; i++) printf "vestal_drill_series{number=\\"%d\\"} %d\\n", i, i }' >.vestal-drill-"$1"
chmod 0644 .vestal-drill-"$1"
mv -f .vestal-drill-"$1" vestal-drill-"$1".prom`,
    ['"$vestal_drill"', String(series)],
  ),
  undo: asOwner(folder, 'rm -f .vestal-drill-"$1" vestal-drill-"$1".prom', ['"$vestal_drill"']),
})

/** Stopped and started again at once. Some that are all to be down at the same time are `stopped` instead: their undo starts them together. */
export const restarted = (host: Host, unit: string, title = unit): MachineFault => ({
  kind: 'machine',
  name: `${title} of ${host.name} is restarted`,
  host,
  takes: unit,
  forMs: RESTART_MS,
  harm: `systemctl restart ${service(unit)}`,
  undo: startAgain(unit),
})

/** SIGSTOP: it holds its connections and its memory, and says nothing. */
export const frozen = (host: Host, unit: string, title = unit): MachineFault => ({
  kind: 'machine',
  name: `${title} of ${host.name} is frozen`,
  host,
  takes: unit,
  harm: `systemctl kill --signal=STOP ${service(unit)}`,
  undo: `systemctl kill --signal=CONT ${service(unit)}`,
})

export interface Cut {
  /** The IP addresses that nothing is heard from, nor gets to. */
  readonly from: readonly string[]
  readonly port: number
  readonly protocols: readonly ('tcp' | 'udp')[]
  /** Which part of the packets is lost, above 0 and up to 1, which is the default. */
  readonly part?: number
  /** False where only what goes to their port is cut, as from one that only asks. Default: what comes to its own port, too. */
  readonly both?: boolean
}

/**
 * Packets of one port between this machine and some others are dropped, by nftables. Throws DoesNotApply where an address is a name, and for the port that
 * Vestal itself comes by.
 */
export const cutOff = (host: Host, cut: Cut, what: string): MachineFault => {
  const { from, port, protocols, part = 1, both = true } = cut
  const names = from.filter((address) => isIP(address) === 0)
  if (names.length > 0) throw new DoesNotApply(`${names.join(', ')} is a name; packets are told by IP addresses`)
  if (port === (host.link.port ?? 22)) throw new DoesNotApply(`port ${port} of ${host.name} is that of SSH`)
  const drop = part === 1 ? 'drop' : `numgen random mod 1000 < ${Math.round(part * 1000)} drop`
  const rules = (way: 'in' | 'out') =>
    from.flatMap((address) =>
      protocols.flatMap((protocol) => {
        const peer = `${isIP(address) === 6 ? 'ip6' : 'ip'} ${way === 'in' ? 'saddr' : 'daddr'} ${address} ${protocol}`
        const [theirs, ours] = way === 'in' ? ['sport', 'dport'] : ['dport', 'sport']
        return [`${peer} ${theirs} ${port} ${drop}`, ...(both ? [`${peer} ${ours} ${port} ${drop}`] : [])]
      }),
    )
  const chain = (name: 'in' | 'out') =>
    `chain ${name} {\ntype filter hook ${name}put priority -300; policy accept;\n${rules(name).join('\n')}\n}`
  return {
    kind: 'machine',
    name: what,
    host,
    harm: `nft -f - <<EOF\ntable inet vestal_$vestal_drill {\n${chain('in')}\n${chain('out')}\n}\nEOF`,
    undo: `if nft list table inet "vestal_$vestal_drill" >/dev/null 2>&1; then nft delete table inet "vestal_$vestal_drill"; fi`,
    refuses: `command -v nft >/dev/null || echo 'nft is not installed'`,
  }
}

/**
 * The file system of a folder is filled to its last block. One that the machine itself lives on is left alone: what would break then is not the service.
 */
export const filled = (
  host: Host,
  { folder, title }: { readonly folder: string; readonly title: string },
): MachineFault => {
  const free = "$(df --output=avail -B1 . | tail -1 | tr -d ' ')"
  return {
    kind: 'machine',
    name: `the disk of ${title} of ${host.name} is full`,
    host,
    harm: asOwner(
      folder,
      `file=.vestal-drill-"$1"
fallocate -l "${free}" "$file" 2>/dev/null || cat /dev/zero >"$file" 2>/dev/null || :
if [ "${free}" -ge 65536 ]; then echo 'it could not be filled' >&2; exit 1; fi`,
      ['"$vestal_drill"'],
    ),
    undo: asOwner(folder, 'rm -f .vestal-drill-"$1"', ['"$vestal_drill"']),
    refuses: `[ "$(stat -c %d ${word(folder)})" != "$(stat -c %d /)" ] || echo ${word(`${folder} is on the file system of the machine itself; with one of its own, this drill fills that`)}`,
  }
}

/** A file of a service is replaced by another text, and the service told to read it again. Its own file is put back, with owner and mode. */
export const replaced = (
  host: Host,
  {
    file,
    text,
    unit,
    title,
  }: { readonly file: string; readonly text: string; readonly unit: string; readonly title: string },
): MachineFault => {
  const kept = `${word(file)}.vestal-drill-"$vestal_drill"`
  return {
    kind: 'machine',
    name: `${title} of ${host.name} is given a configuration that is wrong`,
    host,
    harm: `${onlyRootsWay(file)}cp -p ${word(file)} ${kept}\nprintf '%s' ${word(text)} >${word(file)}\nsystemctl reload ${service(unit)}`,
    undo: `if [ -e ${kept} ]; then mv -f ${kept} ${word(file)}; systemctl reload ${service(unit)}; fi`,
  }
}

/** The machine's power is cut, and given again. In a lab only: nothing on the machine itself could undo it. */
export const powerLost = (host: Host): LabFault => ({
  kind: 'power',
  name: `${host.name} loses its power`,
  host,
  takes: 'machine',
})

/** What is notified is answered by an error, or late. `host` is any Alertmanager's. */
export const receiving = (host: Host, answer: ReceiverAnswer, name: string): ReceiverFault => ({
  kind: 'receiver',
  name,
  host,
  answer,
})

/** The same fault, begun so long after the first one. */
export const later = <F extends Fault>(fault: F, seconds: number): F => ({ ...fault, afterMs: seconds * 1000 })

const service = (unit: string): string => words([`${unit}.service`])

const startAgain = (unit: string): string =>
  `systemctl reset-failed ${service(unit)} 2>/dev/null || :\nsystemctl start ${service(unit)}`
