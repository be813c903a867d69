/** The nouns. Everything else is a function from one of these to another. */

import type { Duplex, Readable } from 'node:stream'
import type { ZodType } from 'zod'
import type { Mistake } from './errors.ts'
import { UPLOADS } from './host-paths.ts'
import type { Content, Secret } from './secret.ts'

export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`
/** Flat and JSON-safe, so that any two states can be compared and shown. A field that is missing is unknown. */
export type State = Readonly<Record<string, string | number | boolean>>

// ---- Inventory: which machines there are. Validated once, frozen after.

export interface Inventory {
  /** What it is called in reports: the last part of its path. */
  readonly name: string
  /** Where relative paths inside it start, and where the release lock file stands. */
  readonly folder: string
  readonly hosts: readonly Host[]
  /** Every role that its hosts can have: those of the house, and the user's own. */
  readonly roles: readonly Role[]
}
export interface Host {
  readonly name: string
  /** Where other hosts reach it; an IP address or a name. `vestal.address`, else `ansible_host`, else the host's own name. */
  readonly address: string
  /** Every group it is in, parents too, without `all`, sorted. */
  readonly groups: readonly string[]
  readonly vars: Readonly<Record<string, unknown>>
  readonly link: Link
  readonly machine: Machine
  /** How its web servers speak TLS, and who is trusted for that; undefined where `tls` isn't set for it. */
  readonly tls?: Tls
}
/** The typed `tls` variable. */
export interface Tls {
  /** Names of roles whose web servers stay in plain text. */
  readonly plain: readonly string[]
  /** Whether Alertmanagers gossip with TLS, and instances of a ring speak to each other so. */
  readonly gossip: boolean
  /** Further names and addresses that certificates of the host are made out to. */
  readonly names: readonly string[]
  /** How long a certificate is valid, and how long before its end it is issued anew. */
  readonly lifetime: Duration
  readonly renewBefore: Duration
  /** Who is trusted, as certificates in PEM; empty while there is nobody yet. */
  readonly authority: string
  /** The operator's own certificate and key, in PEM, in place of issued ones. */
  readonly own?: { readonly certificate: string; readonly key: Secret }
  /**
   * While TLS is turned on or off: names of roles which are in plain text as yet, or already, and of those that are sent to with TLS and without, as one
   * of the two is right.
   */
  readonly stage?: { readonly plain: readonly string[]; readonly both: readonly string[] }
}
/** The typed `vestal` variable: what Vestal itself must know of a machine before it has seen it. */
export interface Machine {
  /** The address under which machines reach each other, where it is not the one to log in at. */
  readonly address?: string
  readonly arch: 'amd64' | 'arm64' | 'armv7'
  /** Which of several hosts on one machine it is: a name that its units, folders and links have behind theirs. Undefined for one that has none. */
  readonly instance?: string
  /** The lab this host lives in; commands enter that lab's network by themselves. */
  readonly lab?: string
  /** Where releases come from: a URL template over {owner} {repo} {name} {version} {os} {arch}, or a `file:` mirror's root. */
  readonly releases: string | Secret
  /** How many old versions of a release stay beside the current one. */
  readonly keepReleases: number
}
/** How to reach a host, from Ansible's connection variables. */
export interface Link {
  readonly via: 'ssh' | 'local'
  readonly address: string
  readonly port?: number
  readonly user?: string
  readonly password?: Secret
  readonly keyFile?: string
  readonly passphrase?: Secret
  /** Options as ssh_config(5) names them, lower-cased, from `ansible_ssh_common_args` and `ansible_ssh_extra_args`: `proxyjump`, `userknownhostsfile`, … */
  readonly options: Readonly<Record<string, string>>
  readonly become?: { readonly user: string; readonly password?: Secret }
  readonly connectTimeout: Duration
  /** The ssh program that is to lead there, whatever Vestal could do by itself: `ansible_ssh_executable`. */
  readonly program?: string
  /** Why it can't be reached as its variables say. Only a host without any role of the inventory may have some: it is left alone. */
  readonly mistakes?: readonly Mistake[]
}
export type Select = (host: Host) => boolean

// ---- Connection: the one door to a machine. A non-zero exit is a value; a lost link throws LinkError.

export interface Connection extends AsyncDisposable {
  readonly host: Host
  /** Runs a POSIX sh script as the become user. The script never stands in an argument list; a cut-off script never runs in part. */
  exec(script: string, options?: ExecOptions): Promise<Exec>
  /** An HTTP request made from the host itself, through the link: no port needs to be open to the controller. */
  request(request: HttpRequest): Promise<HttpAnswer>
  /**
   * Whether the host lets its ports be reached through the link. Where it doesn't, requests are made by a bash of the host's own. `port` is one
   * that is to be reached. Throws LinkError when the link is gone.
   */
  forwards(port: number): Promise<boolean>
  /**
   * Takes connections that are made on the host to a port of its own loopback (127.0.0.1), and hands each to `take`. Throws HostError
   * where the port is taken or the host forbids it, LinkError when the link is gone.
   */
  listen(port: number, take: (stream: Duplex) => void): Promise<Listening>
}
/** A port of a host that leads to the controller; given back when it is disposed. */
export interface Listening extends AsyncDisposable {
  /** Settles when nothing arrives any more, with the reason: the link was lost, or it was disposed. */
  readonly ended: Promise<string>
}
export interface ExecOptions {
  /** What the script's commands can read from standard input. */
  readonly stdin?: Uint8Array | Readable
  /** Called with each piece of standard output as it comes. */
  readonly onStdout?: (chunk: Buffer) => void
  /** False: standard output goes to `onStdout` alone, and the result has none of it. For what is too large for memory. */
  readonly keepStdout?: boolean
  /** How many bytes of standard output are kept in the result. A script that prints more is ended, as a HostError. Default 8 MiB. */
  readonly most?: number
  /** No output for this long ends the link. */
  readonly idle?: Duration
  /** A script that takes longer is ended, as a HostError. Default: an hour, or none where a stream goes in or out. */
  readonly within?: Duration
  readonly signal?: AbortSignal
}
export interface Exec {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
}
export interface HttpRequest {
  /** Address on the host; default 127.0.0.1. */
  readonly address?: string
  readonly port: number
  readonly path: string
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly timeout?: Duration
  /** Whom to trust where the port speaks TLS. Without it any certificate will do: the link to the host is what is trusted. */
  readonly trust?: Trust
}
export interface Trust {
  /** Certificates of authorities, in PEM. */
  readonly authority: string
  /** The name or address that the server's certificate must be made out to. */
  readonly name: string
  /** False: a certificate that isn't to be trusted is told with the answer, for a look at it. Default: nothing is asked of such a server. */
  readonly refuses?: boolean
}
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Of an answer that came over TLS: when the server's certificate ends, RFC 3339, or '' where it doesn't say; and why it isn't to be trusted. */
  readonly certificate?: { readonly until: string; readonly refused?: string }
}

// ---- Kind: how one sort of thing is read, and how it is put right. Pure: it returns shell, it runs none.

export interface Kind<S extends State = State, D = unknown> {
  readonly name: string
  readonly summary: string
  /** On the controller, before anything is asked of a host: completes what a role could not know (a release's checksum). */
  prepare?(tasks: readonly Task<S, D>[], context: Prepare): Promise<readonly Task<S, D>[]>
  /** One POSIX sh fragment that prints the state of all these tasks' keys: the batching is here. Changes nothing, never fails. */
  probe(tasks: readonly Task<S, D>[]): string
  /** What the fragment printed, by key. A key left out is absent. */
  parse(stdout: Buffer, tasks: readonly Task<S, D>[]): ReadonlyMap<string, S>
  /**
   * Where the same output shows already that the steps would refuse to put something right: why, by key. What is in nobody's way is left out. A run ends
   * before its first change where a task that differs is refused.
   */
  refused?(stdout: Buffer, tasks: readonly Task<S, D>[]): ReadonlyMap<string, Refusal>
  /** The steps from `from` to `to`; only called when they differ. */
  converge(change: Change<S, D>): readonly Step[]
  /** Why a change is needed, in a person's words; default `field: from → to`. */
  explain?(change: Change<S, D>): string
  /** The file and text behind a task, for `--diff`; null where there is none. */
  text?(task: Task<S, D>): { readonly path: string; readonly content: Content } | null
}
/** Why root will not put something right on a host, and what whoever owns the host can do about it. */
export interface Refusal {
  readonly why: string
  readonly fix: string
}
export interface Prepare {
  readonly inventory: Inventory
  readonly host: Host
  readonly signal?: AbortSignal
}
/** One thing that must be so. Data, not code: check, diff and apply all read the same object. */
export interface Task<S extends State = State, D = unknown> {
  readonly kind: Kind<S, D>
  /** What it is, within its kind: a path, a unit, a user. */
  readonly key: string
  /** null: must be absent. A field left out: don't care. */
  readonly desired: Partial<S> | null
  /** What the kind needs beyond the state: content, a validation, a release's source. Never printed. */
  readonly data: D
  /** Chosen by `--tags`; a role adds its own name. */
  readonly tags?: readonly string[]
}
export interface Change<S extends State = State, D = unknown> {
  readonly task: Task<S, D>
  readonly from: S | null
  readonly to: Partial<S> | null
  /** The fields of `to` that differ from `from`. */
  readonly fields: readonly string[]
}
export interface Step {
  readonly title: string
  /** POSIX sh, run with `set -eu`; holds no secret. */
  readonly run: string
  /** What `run` reads from standard input; small. */
  readonly stdin?: Content
  /** In place of `stdin`, what is made on the controller when the step is about to be carried out, and only then: a new key. */
  readonly make?: Making
  /** A large file that must be on the host, at `uploadPath(sha256)`, before the first step runs. */
  readonly upload?: Upload
  /** POSIX sh that takes this finished step back when a later one of the same host and play fails; run in reverse order. */
  readonly undo?: string
  /** POSIX sh run after all `undo`s if this step was begun, in order: what serves again from the restored files (a restart). */
  readonly restore?: string
  /** POSIX sh that prints what the thing started by this step said last; asked when the host is taken back although the step went well. */
  readonly logTail?: string
  /** True when something that now serves stops serving meanwhile (a restart); such hosts go in batches. */
  readonly interrupts?: boolean
}
export interface Making {
  /** Throws InputError where it could not be made. Asked before anything is changed. */
  ready(): void
  content(): Promise<Content>
}
export interface Upload {
  readonly sha256: string
  readonly title: string
  /** Fetches (once per run) and verifies; returns the file on the controller and its size in bytes. */
  ready(signal?: AbortSignal): Promise<{ readonly path: string; readonly bytes: number }>
}

/** What a task is called everywhere: `file /etc/prometheus/prometheus.yml`. */
export const taskId = (task: { readonly kind: { readonly name: string }; readonly key: string }): string =>
  `${task.kind.name} ${task.key}`

/** Where the engine puts an upload on a host. The step that uses it moves it away or removes it. */
export const uploadPath = (sha256: string): string => `${UPLOADS}/${sha256}`

/** Facts come back in the same round trip as the state; the inventory declares them, facts only confirm. */
export interface Facts {
  readonly os: string
  readonly arch: string
  readonly bootId: string
  /** The systemd version's number; 0 where systemd isn't PID 1. */
  readonly systemd: number
  /** Host clock minus controller clock, corrected by half the round trip. */
  readonly clockSkewMs: number
  /** The run that last changed this host, or ''. */
  readonly lastRun: string
  /** Who holds the host's lock, or null. */
  readonly lock: Lock | null
}
export interface Lock {
  readonly owner: string
  readonly run: string
  /** RFC 3339, the controller's clock. */
  readonly since: string
}

// ---- Gate: a question that must be answered yes before a rollout goes on.

export interface Gate {
  readonly name: string
  /** The host it is about. */
  readonly host: string
  readonly within: Duration
  ask(reach: Reach): Promise<Verdict>
}
export type Verdict =
  | { readonly pass: true; readonly detail?: string }
  /**
   * `progress` restarts the clock of `within` when it changes (a WAL replay that moves); `final` stops asking. `lacks` are the peers
   * that it misses, as `address:port`: status doesn't blame it for one that is down.
   */
  | {
      readonly pass: false
      readonly why: string
      readonly progress?: string
      readonly final?: true
      readonly lacks?: readonly string[]
    }
export type Reach = (host: Host) => Promise<Connection>

// ---- Role: what a machine is for. Play: roles for some hosts, and how fast. Playbook: plays in order.

export interface Role<V = unknown> {
  readonly name: string
  readonly summary: string
  /** The inventory variable that holds this role's settings; `VARIABLE.ENTRY` where they are one entry of it. */
  readonly key: string
  /** Within a play, the role is for the hosts of this group only; default: for every host of the play. */
  readonly group?: string
  /** Whether a host has it, where that is no matter of a group. */
  on?(host: Host): boolean
  /** The name of the role by whose settings it exists: it is one of that role's `entries`. */
  readonly of?: string
  readonly vars: ZodType<V>
  tasks(scope: Scope<V>): readonly Task[]
  /** Gates that say this role serves on this host; asked after each batch and by `status`. */
  healthy(scope: Scope<V>): readonly Gate[]
  /** Gates that say it serves, whatever version and config it runs; asked of a host whose change was taken back. */
  serves(scope: Scope<V>): readonly Gate[]
  /** What `status` shows of this role on a host beside what its gates say; a role without has no row of its own. */
  instance?(scope: Scope<V>): Instance
  /** What it needs of the machine, as `check` looks for it. */
  needs?(scope: Scope<V>): Needs
  /** This role's settings for any host, defaults filled in. The inventory has been validated: throws nothing an operator can cause. */
  varsOf(host: Host): V

  /**
   * What of its settings on a host doesn't agree with the rest of the inventory: asked of every host with the role once the inventory is read, before
   * any machine is touched. May throw InputError instead, for what stands in other files.
   */
  mistakes?(scope: Scope<V>): readonly SettingMistake[]

  // What it can do beyond tasks and gates. Whoever works with these looks whether they are there, and never at the role's name.

  /** What people call it: `Alertmanager`. Default: its name. */
  readonly title?: string
  /** Its systemd unit, without `.service`. With it, the role can be taken from a machine, and its data can be exchanged. */
  readonly service?: string
  /** What is deployed of it, by the version in its settings (`version`). With it, a roll can change the version. */
  readonly release?: ReleaseOf
  /** How its hosts are changed where that interrupts it. Without, they are changed beside those of other roles. */
  readonly rollout?: Rollout
  /** It is a cluster, whose members name each other. */
  readonly cluster?: Cluster<V>
  /** Why there must not be so few of it; null where these are enough. `left` are the hosts that keep it once `host` has lost it; `inventory` has them all. */
  minimum?(host: Host, left: readonly Host[], inventory: Inventory): TooFew | null
  /** Gates before its service stops for good on a host: nothing is left there that only it knows. The inventory no longer has the host. */
  drained?(scope: Scope<V>): readonly Gate[]
  /** What it keeps on a disk that must outlive its machine. */
  readonly data?: RoleData<V>
  /** What is known to break between versions. */
  readonly upgrade?: Upgrade<V>
  /** What Prometheus scrapes of it, as one job or several; null where it shows no metrics. */
  scrape?(scope: Scope<V>): Scrape | readonly Scrape[] | null
  /** Alerting rules about itself, which every Prometheus gets unless told otherwise: what the file is called, and where it is. */
  readonly alerts?: { readonly name: string; readonly file: URL }
  /** Roles by its settings, each made of data. They come behind it, with everything that a role can do. */
  readonly entries?: Entries
  /** Its web server, where that can be given a certificate. */
  readonly web?: WebServer
  /** Several of it can stand on one machine, each with units and folders of its instance. Without, an instance cannot have it. */
  readonly instances?: Instances<V>
  /** The ports of other hosts that it must reach from this one. */
  reaches?(scope: Scope<V>): readonly RequiredPath[]
  /** What `check` looks for beside what holds for every role. */
  readonly checks?: readonly RoleCheck[]
}
export interface Instances<V = unknown> {
  /** Its settings where it is an instance: with defaults that are not those of others on the machine. */
  settings?(vars: V, instance: string): V
}
/** A web server that can have a certificate of the fleet. */
export interface WebServer {
  /** The role's name. */
  readonly role: string
  /** Where its files are: `web.yml`, and `web.pem` with certificate and key. */
  readonly folder: string
  /** The account that it runs as. */
  readonly user: string
}
/** A mistake in a role's settings; told with the file, line and column where they are written. */
export interface SettingMistake {
  /** Keys below the role's variable: `['targets', 'web', 'group']`. */
  readonly path: readonly (string | number)[]
  readonly what: string
  readonly fix?: string
}
/** Something that can be wrong with a role: why it matters, what to do, and where it is so. */
export interface RoleCheck {
  readonly id: string
  /** An error stops a deploy or defeats the purpose of the fleet; a warning is a weakness somebody may have chosen. */
  readonly severity: 'error' | 'warning'
  readonly why: string
  readonly fix: string
  /** Pure. Hosts are named, at least one a finding. */
  find(facts: RoleFacts): readonly { readonly hosts: readonly string[]; readonly what: string }[]
}
export interface RoleFacts {
  readonly inventory: Inventory
  /** Those of the role that could be looked at. */
  readonly hosts: readonly Host[]
  /** The command line of the process that has a port there, of those that roles need; undefined where none has. */
  command(host: Host, port: number): readonly string[] | undefined
}
/** A program as it is released: a tarball by version, its binaries inside; or its one binary itself. */
export interface ReleaseOf {
  /** What it is called on a host, and its folder there. */
  readonly name: string
  /** Whose it is on GitHub, and what its repository is called: what a URL template of releases is filled with. */
  readonly owner: string
  readonly repo: string
  readonly binaries: readonly string[]
  /** What the tarball is called where it isn't `{name}-{version}.{os}-{arch}.tar.gz`, over the same fields. */
  readonly tarball?: string
  /** What the list of checksums is called where it isn't `sha256sums.txt`, over the same fields. */
  readonly sums?: string
  /** Its binaries stand in no folder of the tarball. */
  readonly flat?: boolean
  /**
   * Where a project releases its one binary itself: what that file is called, over {os} and {arch}. It stands where tarballs of others do, and
   * its checksum beside it as `FILE-sha-256`.
   */
  readonly file?: string
}
export interface Rollout {
  /** What its plays are called. */
  readonly titles: RolloutTitles
  /** How many go at once. A roll's `--serial` never widens 1. */
  readonly batch: number | `${number}%`
  readonly apart?: (host: Host, inventory: Inventory) => string
  /** Others do its work meanwhile. */
  readonly before?: (scope: PlayScope) => readonly Gate[]
  /** Keeps what an upgrade or a rollback could lose. */
  readonly keep?: Play['keep']
  /**
   * Carried out once a batch was interrupted, before its gates are asked: gives each host what it would else wait for. Returns what it did, in
   * words for people, by host. A HostError thrown is told and no more: the gates wait, as without it.
   */
  readonly catchUp?: (scope: PlayScope, reach: Reach, signal?: AbortSignal) => Promise<readonly CaughtUp[]>
}
export interface CaughtUp {
  readonly host: string
  readonly what: string
}
export interface RolloutTitles {
  /** All its hosts. */
  readonly all: string
  /** The one that goes before all others in a roll. */
  readonly first: string
  /** It comes to a new machine. */
  readonly joins: string
  /** Those that are there learn of the new one, */
  readonly learns: string
  /** and of one that goes. */
  readonly forgets: string
}
export interface Cluster<V = unknown> {
  /** The role as it is while others don't know of it yet: asks of itself only what then can be so. */
  joining(): Role<V>
  /** Once all know of it: what that play is called, and its gates. */
  readonly joined: string
  /** Nobody waits for a member that is not there: what that play is called, and its gates. */
  readonly complete: string
  /** Where members must be told to forget one that left: what that play is called, and what it does on those that stay. */
  readonly forgetting?: { readonly title: string; role(): Role<V> }
  nobodyMissed(scope: PlayScope): readonly Gate[]
  /** What becomes of one that is split, in a sentence about its sides: `each side sees only itself`. */
  readonly whenSplit: string
}
export interface TooFew {
  readonly what: string
  readonly fix: string
}
export interface RoleData<V = unknown> {
  /** The folder of its data. */
  folder(vars: V): string
  /** The names in it that are its data; default: everything. */
  readonly names?: readonly string[]
  /**
   * POSIX sh that makes `to`, a folder on the same file system that is not there yet, a copy that no longer changes of the data in `from`,
   * while the service goes on. Both are words of a shell: they may be `"$name"`. Run as the owner of the folder, in a subshell with `set -eu`; ends with 1, its reason on
   * standard error, where it can't. Default: everything is copied.
   */
  freeze?(from: string, to: string): string
  /** The names, below the folder, that a copy of the data can have; a backup that has others is refused. Default: any. */
  readonly archived?: RegExp
  /** Why a version cannot read what another has written; null where it can. */
  unreadable?(versions: { readonly wrote: string; readonly reader: string }): Unreadable | null
  /**
   * Versions, as a pattern of a shell's `case`, that cannot read what this one writes; null for none. Before a step from one of them the data
   * is frozen, and a rollback can put it back. Without, such a step is never allowed.
   */
  snapshotFrom?(to: string): string | null
  /** What is asked of the running service beside its files, and kept as a file of this name. */
  readonly spoken?: SpokenData<V>
}
/** Why a version cannot read data. */
export interface Unreadable {
  /** What it cannot read, and who could: `what 3.5.3 has written (2.55 is the oldest that can)`. */
  readonly what: string
  readonly why: string
  /** Which versions can: `2.55 or later`. */
  readonly readers: string
  /** The version that stands between: it reads both. */
  readonly via: string
  /** What to do in place of going straight back. */
  readonly instead: string
}
export interface SpokenData<V = unknown> {
  readonly file: string
  save(scope: Scope<V>, reach: Reach): Promise<string>
  /** Throws an Error for a text that is none of these; changes nothing, and asks nobody. */
  check(text: string): void
  /** Brings back what is missing; returns what it did, in some words. */
  bringBack(scope: Scope<V>, reach: Reach, text: string): Promise<string>
}
export interface Upgrade<V = unknown> {
  /** Its configuration file on a host, which is YAML, and the folder of rule files that it reads. */
  config?(host: Host): string
  rules?(host: Host): string
  /** Reads of a host what its known issues need to know beside files and flags; changes nothing. `from` is what runs, `to` what is to. */
  observe?(
    scope: Scope<V>,
    about: { readonly reach: Reach; readonly from: string; readonly to: string },
  ): Promise<Observed>
  readonly issues: readonly KnownIssue[]
}
export type Observed = Readonly<Record<string, unknown>>
/** One role on one host, before and after an upgrade: all that advice is made of. */
export interface UpgradeStep {
  readonly host: string
  readonly role: Role
  /** The version that is switched to now; null where none is. */
  readonly from: string | null
  readonly to: string
  /** Its configuration file as it would be, parsed; null where it has none. */
  readonly config: unknown
  /** Rule expressions, each with its file and rule. */
  readonly rules: readonly { readonly where: string; readonly expr: string }[]
  /** Its flags as they would be, by name without dashes. */
  readonly flags: ReadonlyMap<string, readonly string[]>
  /** Of its data on the host; '' where it has none. */
  readonly folder: string
  /** What the role itself has read of the host. */
  readonly observed: Observed
}
/** What breaks in a step from one version to another, and where. */
export interface KnownIssue {
  readonly level: Advice['level']
  concerns(from: string, to: string): boolean
  find(subject: UpgradeStep): readonly { readonly where: string; readonly what: string }[]
  /** True: looked for in every role's files, such as rules over this one's metrics. */
  readonly everywhere?: boolean
  readonly why: string
  readonly fix: string
  /** Where this is written. */
  readonly source: string
}
/** Roles that exist by the settings of another. */
export interface Entries {
  /** All that there can be, by their usual names. */
  readonly known: readonly Role[]
  /** Those that one of these hosts has. */
  on(hosts: readonly Host[]): readonly Role[]
  /** Whether a variable of that name is meant for it. A host that has it, and no role by its groups, is then one of ours. */
  claims(value: unknown): boolean
}
/** What is scraped of one host. */
export interface Scrape {
  readonly job: string
  readonly port: number
  readonly labels?: Readonly<Record<string, string>>
  /** What is asked about through it, as the job's relabelling has it, in place of itself: each with its own labels beside those above. */
  readonly through?: readonly { readonly target: string; readonly labels?: Readonly<Record<string, string>> }[]
  /** Fields of the job's scrape config, as Prometheus names them; those of the group's first host hold for all. */
  readonly config?: Readonly<Record<string, unknown>>
}
/** A port of another host that must be reached. */
export interface RequiredPath {
  /** What goes that way, one word: `gossip`, `web`. */
  readonly name: string
  readonly to: Host
  readonly address: string
  readonly port: number
  /** The datagram that the program there answers, by its command line; without it the path is TCP only. */
  readonly datagram?: (command: readonly string[]) => Buffer | undefined
  /** Why it matters, where no finding of its own says so. */
  readonly why?: string
}
export interface Scope<V = unknown> {
  readonly host: Host
  readonly vars: V
  readonly inventory: Inventory
  /** The hosts of a group, in the inventory's order. */
  group(name: string): readonly Host[]
}
/** One running program of a role on a host, as `status` looks at it. */
export interface Instance {
  /** Which part of the whole it is, such as its shard and replica. */
  readonly part?: string
  /** The ids of the tasks that keep it running and that choose its version: their states say what runs and what is on disk. */
  readonly service: string
  /** Left out where it has no versions. */
  readonly current?: string
  /** Asks it what it is doing. Throws HostError where it does not answer. */
  status?(reach: Reach): Promise<ProgramStatus>
}
export interface Needs {
  /** Ports that nobody else may have, and the systemd unit that will. */
  readonly ports?: readonly {
    readonly port: number
    readonly protocol: 'tcp' | 'udp'
    readonly unit: string
    /** Units whose work it goes on with: they may have it until then. */
    readonly until?: readonly string[]
    /** Whoever has no certificate of the fleet is turned away there. */
    readonly closed?: true
  }[]
  /** Folders it writes to, with the room it is told to take, in bytes, where there is a limit. */
  readonly folders?: readonly string[]
  readonly roomBytes?: number
  /** The limit of its memory. */
  readonly memoryBytes?: number
}
/** What a program says of itself. What is left out doesn't apply to it, or isn't known yet. */
export interface ProgramStatus {
  readonly ready: boolean
  /** Of a cluster, by gossip or by a ring: what it calls itself, those it sees, itself included, and those of the inventory. */
  readonly members?: { readonly self: string; readonly seen: readonly string[]; readonly expected: readonly string[] }
  readonly targets?: { readonly up: number; readonly of: number }
  /** How many alerts are firing. */
  readonly alerts?: number
  /** How far the replay of its write-ahead log has come: `3 of 12`. */
  readonly replay?: string
  /** Columns of its own, by their heads. */
  readonly shows?: Readonly<Record<string, string>>
}
export interface Play {
  readonly name: string
  readonly hosts: Select
  readonly roles: readonly Role[]
  /** Hosts whose change interrupts a service go this many at a time; default: all at once. Others never wait for a batch. */
  readonly batch?: number | `${number}%`
  /** Hosts with the same answer are never interrupted in one batch. */
  readonly apart?: (host: Host, inventory: Inventory) => string
  /**
   * Groups of hosts that do each other's work: before a batch interrupts anything, this run holds the locks of all of them, so that no other
   * run interrupts one of them at the same time. Default: for each of the play's roles whose rollout asks others first, the hosts that have it.
   */
  readonly members?: (scope: PlayScope) => readonly (readonly Host[])[]
  /** What it brings about is passed through on the way to what a later play of the same run wants of the same things. */
  readonly passing?: boolean
  /** Asked before a batch interrupts anything. */
  readonly before?: (scope: PlayScope) => readonly Gate[]
  /** Asked after a batch, beside each role's own `healthy`. */
  readonly after?: (scope: PlayScope) => readonly Gate[]
  /** Carried out once `before` has said yes: keeps what a batch could lose. A HostError thrown is that host's failure, and nothing is interrupted. */
  readonly keep?: (scope: PlayScope, keeping: KeepContext) => Promise<void>
  /** What becomes of a batch's hosts whose gates say no: left as they are (the default), or taken back to what they ran before. */
  readonly onGateFailure?: 'leave' | 'take-back'
  /** How many hosts may fail before the play ends; default 0. */
  readonly maxFail?: number
  /**
   * In a run that watches alerts: the play comes before the watch begins, runs while it begins (what it changes reaches no alert), or, the
   * default, once the first canary alerts have arrived.
   */
  readonly watch?: 'before' | 'meanwhile'
}
/** What a play that keeps something is given. */
export interface KeepContext {
  readonly run: string
  readonly reach: Reach
  /** Keeps a text in the run's folder, below `kept/`. */
  store(host: Host, name: string, text: string): void
}
export interface PlayScope {
  readonly inventory: Inventory
  /** The hosts of this batch. */
  readonly batch: readonly Host[]
  /** All hosts of the play. */
  readonly hosts: readonly Host[]
}
export interface Playbook {
  readonly name: string
  readonly summary: string
  readonly plays: readonly Play[]
  /** After a play that failed, others go on (the default), or nothing more is done. */
  readonly onFailure?: 'go-on' | 'stop'
}

// ---- Plan: what a run would do. Plain JSON, stable.

export interface Plan {
  readonly vestal: 'plan/1'
  readonly playbook: string
  readonly inventory: string
  readonly changes: number
  readonly batches: readonly Batch[]
  /** How many hosts were read. Where none was, nothing is known of what would change. */
  readonly read?: number
  /** Hosts that could not be probed, and why. */
  readonly unreachable: Readonly<Record<string, string>>
}
export interface Batch {
  readonly play: string
  readonly interrupts: boolean
  readonly hosts: readonly HostPlan[]
}
export interface HostPlan {
  readonly host: string
  /** How many tasks are already as they must be. */
  readonly same: number
  readonly changes: readonly PlannedChange[]
}
export interface PlannedChange {
  readonly task: string
  readonly role: string
  /** `create`, `change` or `remove`. */
  readonly action: 'create' | 'change' | 'remove'
  readonly why: string
  readonly steps: readonly string[]
  readonly interrupts: boolean
  readonly diff?: string
  /** Why it can't be done as the host is; nothing is changed anywhere before that is mended. */
  readonly refused?: Refusal
}

/** What is worth knowing before a run. `blocks`: it must not start like this. */
export interface Advice {
  readonly level: 'blocks' | 'warns' | 'notes'
  /** A host, a file, a job. */
  readonly where: string
  readonly what: string
  /** Why it bites. */
  readonly why: string
  readonly fix: string
}

// ---- RunReport: what a run did. The exit code, the summary table and the audit log are functions of it.

export type Outcome =
  | { readonly status: 'same' }
  | { readonly status: 'changed'; readonly ms: number }
  | { readonly status: 'failed'; readonly ms: number; readonly why: string; readonly hint?: string }
  | { readonly status: 'skipped'; readonly because: string }
export interface RunReport {
  readonly vestal: 'report/1'
  readonly run: string
  readonly playbook: string
  readonly inventory: string
  readonly startedAt: string
  readonly ms: number
  readonly interrupted: boolean
  /** By host, then by task id. A host that could not be reached has one entry, `connect`. */
  readonly hosts: Readonly<Record<string, Readonly<Record<string, Outcome>>>>
  readonly gates: readonly GateReport[]
  /** Why plays ended before their end, and what became of the hosts whose gates said no. */
  readonly stops?: readonly string[]
  /** What the canary alerts of a watched run came to (`--watch-alerts`). */
  readonly alerts?: AlertsReport
  /** What was broken on purpose, and how the fleet stood it (`vestal drill`). */
  readonly drill?: DrillReport
  /** Execs and bytes pushed, by host: what the run cost. */
  readonly cost: Readonly<Record<string, { readonly execs: number; readonly pushedBytes: number }>>
}
export interface GateReport {
  readonly name: string
  readonly host: string
  readonly play: string
  readonly pass: boolean
  readonly why?: string
  /** When it was first asked, RFC 3339. */
  readonly at?: string
  readonly ms: number
}

/**
 * What became of the canary alerts that were sent through the fleet while a run went on. Times are the controller's; a canary is sent when a
 * machine has its metric on disk, and delivered when its first `firing` notification arrives at the controller.
 */
export interface AlertsReport {
  readonly sent: number
  readonly delivered: number
  /** Could have been notified, and never was. */
  readonly lost: number
  /** Never notified, as for so long no Prometheus of their shard was left that none of them had to be; no part of `lost`. Left out where a path was left for all. */
  readonly withoutPath?: number
  /** `firing` notified again without a `resolved` between. */
  readonly duplicated: number
  /** `firing` notified after `resolved`, of an alert that was over. */
  readonly refired: number
  /** `firing` notified again through a host whose link to the controller had broken: Alertmanager tries again what it could not hand over. */
  readonly repeated: number
  /** `resolved` notified of a canary that was not over. */
  readonly resolvedEarly: number
  /** Notified, and never `resolved`. */
  readonly unresolved: number
  /** Ended, with the run, before they had to be notified. */
  readonly cutShort: number
  /** From sent to delivered, the longest. */
  readonly largestDelayMs: number
  /** The longest time in which at least one canary was waiting to be notified and none was delivered. */
  readonly longestBlackoutMs: number
  /** Canaries under a silence: none of them may be notified. */
  readonly silenced: { readonly sent: number; readonly notified: number }
  /** How often the link to an Alertmanager's host broke. */
  readonly linksLost: number
  /** Names of canaries behind each count that is not 0, ten at most. */
  readonly canaries: Readonly<Record<'lost' | 'duplicated' | 'refired' | 'unresolved' | 'silenced', readonly string[]>>
}

/** A drill: what was done to the fleet on purpose, and whether it held. Times are RFC 3339, the controller's clock. */
export interface DrillReport {
  readonly scenario: string
  readonly summary: string
  /** What says what is allowed meanwhile. */
  readonly contract: string
  readonly faults: readonly DrilledFault[]
  /** Services as they were seen, one entry for each change of what was seen. */
  readonly steady: readonly SteadySample[]
  readonly figures: DrillFigures
  readonly verdict: DrillVerdict
  /** Why it is no better than that; none of one that passed. */
  readonly causes: readonly string[]
}
/**
 * `failed`: something that must hold did not. `deviated`: every promise was kept, and yet the fleet did other than it should. `aborted`: it was ended before
 * its time, as something else went wrong. `interrupted`: by whoever held it.
 */
export type DrillVerdict = 'passed' | 'deviated' | 'aborted' | 'failed' | 'interrupted'
export interface DrilledFault {
  readonly name: string
  readonly host: string
  /** When its undo stood ready. */
  readonly armedAt?: string
  readonly beginAt?: string
  readonly endAt?: string
  /** Whether the harm is undone; true where it was never done. */
  readonly undone: boolean
}
export interface SteadySample {
  readonly at: string
  readonly host: string
  /** The role's name. */
  readonly service: string
  readonly serves: boolean
  /** How many members of its cluster it sees, itself included. */
  readonly members?: number
  readonly why?: string
}
/** Canary alerts before the faults (the control window) and since, compared. */
export interface DrillFigures {
  readonly control: DelayFigures
  readonly during: DelayFigures
  /** Canaries that all members knew as notified before the faults, and that were notified once more since. */
  readonly forgotten: readonly string[]
  /** Canaries that two members notified within a second of each other, an entry for each time: neither can have heard of the other. */
  readonly together?: readonly string[]
  /**
   * Canaries that a member notified once more which was away before, and was not told of others' notifications yet; an entry for each time. Left out where the
   * scenario knows of no such time.
   */
  readonly unheard?: readonly string[]
  /** Labels in which notifications of one canary differ. */
  readonly differing: readonly string[]
  /** How questions were answered that were asked all the while. */
  readonly answered?: readonly Answered[]
  /** From the end of the faults until every service was as before; left out where it never was. */
  readonly healedMs?: number
  /** From the end of the faults until every member of a cluster saw every other. */
  readonly gossipHealedMs?: number
}
export interface Answered {
  readonly question: string
  readonly asked: number
  readonly failed: number
  /** The longest time without an answer. */
  readonly longestMs: number
}
interface DelayFigures {
  readonly delivered: number
  readonly largestDelayMs: number
}
