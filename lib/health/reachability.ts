/** Whether hosts reach each other's ports: by sending packets from each host, over its own SSH connection. */
import { PassThrough } from 'node:stream'
import { HostError } from '../errors.ts'
import type { Connection, Host, Reach, RequiredPath } from '../model.ts'
import { words } from '../shell.ts'
import type { Survey } from './survey.ts'

/** A port of a host that others must reach. */
export interface RequiredPort extends RequiredPath {
  readonly from: readonly Host[]
}
/** One path to a required port, as it was found. */
export interface TriedPath {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  /** Whether the address is one of the host's own. */
  readonly own: boolean
  readonly open: boolean
  /** Why it isn't: `no answer`, `Connection refused`, `No route to host`, … */
  readonly why?: string
  /** Why it matters, where no finding of its own says so. */
  readonly matters?: string
}

export interface TriedPaths {
  readonly paths: readonly TriedPath[]
  /** Hosts on whose ports nothing listens, and on which nothing could be made to. */
  readonly untested: readonly { readonly to: string; readonly why: string }[]
}

/**
 * Tries every required port from every host that was surveyed. Where nothing listens yet, something does for as long as this takes. A port
 * whose port somebody else has, or whose host can't be asked, is left out.
 */
export const tryPaths = async (
  required: readonly RequiredPort[],
  surveys: ReadonlyMap<Host, Survey>,
  reach: Reach,
): Promise<TriedPaths> => {
  const wanted = required.flatMap((one) => {
    const survey = surveys.get(one.to)
    const there = survey?.listeners.filter(({ port }) => port === one.port) ?? []
    const from = one.from.filter((host) => surveys.has(host))
    return survey && from.length > 0 ? [{ one, from, survey, command: there[0]?.command }] : []
  })
  const closed = Map.groupBy(
    wanted.filter(({ command }) => command === undefined),
    ({ one }) => one.to,
  )
  const standIns = await Promise.all(
    [...closed].map(async ([host, some]) =>
      openStandIn(
        await reach(host),
        some.map(({ one }) => one),
      ),
    ),
  )
  const untested = standIns.flatMap((standIn) => ('why' in standIn ? [standIn] : []))
  const tried = wanted.filter(
    ({ one, command }) => command !== undefined || untested.every(({ to }) => to !== one.to.name),
  )
  try {
    const senders = new Set(tried.flatMap(({ from }) => from))
    const paths = await Promise.all(
      [...senders].map(async (host) =>
        tryFrom(
          await reach(host),
          tried.filter(({ from }) => from.includes(host)),
        ),
      ),
    )
    return { paths: paths.flat(), untested }
  } finally {
    await Promise.all(standIns.map((standIn) => ('end' in standIn ? standIn.end() : undefined)))
  }
}

interface Tried {
  readonly one: RequiredPort
  readonly survey: Survey
  readonly command?: readonly string[]
}

const tryFrom = async (connection: Connection, tried: readonly Tried[]): Promise<readonly TriedPath[]> => {
  const attempts = tried.flatMap(({ one, survey, command }) => {
    const { name, address, port, to, why } = one
    const from = connection.host.name
    const path = { name, from, to: to.name, address, port, own: isOwn(address, survey), matters: why }
    const datagram = one.datagram?.(command ?? [])
    return [
      { path: { ...path, protocol: 'tcp' as const }, payload: '' },
      ...(datagram ? [{ path: { ...path, protocol: 'udp' as const }, payload: octal(datagram) }] : []),
    ]
  })
  const args = attempts.flatMap(({ path, payload }) => [path.protocol, path.address, path.port, payload])
  const { stdout, stderr } = await connection.exec(`bash -c ${words([SENDER, 'vestal', ...args])}`, { within: '4m' })
  const said = stdout.toString().split('\n')
  return attempts.map(({ path }, index) => {
    const line = said.find((one) => one.startsWith(`${index} `))
    if (line === undefined)
      throw new HostError(connection.host.name, `packets could not be sent: ${stderr.trim()}`, { task: 'reachability' })
    const result = line.slice(line.indexOf(' ') + 1)
    return result === 'open' ? { ...path, open: true } : { ...path, open: false, why: result }
  })
}

/** IPv6 addresses are not compared: they are written in many ways, and the kernel's table has them in another. */
const isOwn = (address: string, { addresses }: Survey): boolean => address.includes(':') || addresses.includes(address)

const octal = (bytes: Buffer): string => [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')

/** In bash, which has sockets (its manual, "Redirections"). A datagram is sent up to four times, as UDP may lose one, each in one write. */
const SENDER = `
tcp() {
  said=$(timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1)
  case $? in 0) echo open ;; 124) echo 'no answer' ;; *) said=\${said##*: }; echo "\${said:-no connection}" ;; esac
}
udp() {
  { exec 3<>"/dev/udp/$1/$2"; } 2>/dev/null || { echo 'no route'; return; }
  for wait in 0.5 1 1 2; do
    printf "$3" | dd bs=4096 count=1 iflag=fullblock status=none >&3 2>/dev/null
    LC_ALL=C read -r -t $wait -N 1 -u 3 byte 2>/dev/null && { echo open; return; }
    [ $? -gt 128 ] || sleep 0.2
  done
  echo 'no answer'
}
index=0
while [ $# -gt 0 ]; do
  { answer=$("$1" "$2" "$3" "$4"); printf '%s %s\\n' $index "$answer"; } &
  index=$((index + 1)); shift 4
done
wait`

/** Listens on these ports, TCP and UDP, until `end` is called, or its host loses us, or a minute is over. */
const openStandIn = async (
  connection: Connection,
  required: readonly RequiredPort[],
): Promise<{ end(): Promise<void> } | TriedPaths['untested'][number]> => {
  const stdin = new PassThrough()
  const ready = Promise.withResolvers<string>()
  const family = required.some(({ address }) => address.includes(':')) ? 6 : 4
  const ports = [...new Set(required.map(({ port }) => port))]
  const done = connection
    .exec(`exec perl -e ${words([STAND_IN, family, ...ports])}`, {
      stdin,
      within: '4m',
      onStdout: () => ready.resolve(''),
    })
    .then(({ stderr, code }) => ready.resolve(stderr.trim() || `exit code ${code}`))
  done.catch(ready.reject)
  const why = await ready.promise
  if (why !== '') return { to: connection.host.name, why }
  return {
    async end() {
      stdin.end()
      await done
    },
  }
}

const STAND_IN = `
use strict; use Socket qw(:DEFAULT :addrinfo IPPROTO_TCP inet_pton pack_sockaddr_in6 AF_INET6 IN6ADDR_ANY);
my ($version, @ports) = @ARGV; my $family = $version == 6 ? AF_INET6 : AF_INET; my (%tcp, %udp);
for my $port (@ports) {
  my $at = $version == 6 ? pack_sockaddr_in6($port, IN6ADDR_ANY) : sockaddr_in($port, INADDR_ANY);
  my ($t, $u);
  socket($t, $family, SOCK_STREAM, 0) && setsockopt($t, SOL_SOCKET, SO_REUSEADDR, 1) && bind($t, $at) && listen($t, 64) or die "tcp $port: $!";
  socket($u, $family, SOCK_DGRAM, 0) && bind($u, $at) or die "udp $port: $!";
  $tcp{fileno $t} = $t; $udp{fileno $u} = $u;
}
$| = 1; print "listening\\n"; my $end = time + 60;
while (time < $end) {
  my $set = ''; vec($set, $_, 1) = 1 for 0, keys %tcp, keys %udp;
  next unless select($set, undef, undef, 1) > 0;
  exit if vec($set, 0, 1) && !sysread(STDIN, my $rest, 64);
  for (keys %tcp) { if (vec($set, $_, 1)) { accept(my $one, $tcp{$_}); close $one } }
  for (keys %udp) { if (vec($set, $_, 1)) { my $from = recv($udp{$_}, my $said, 4096, 0); send($udp{$_}, "+", 0, $from) if defined $from } }
}`
