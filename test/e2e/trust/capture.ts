/** What passes between the hosts of the tests' lab, as somebody sees it who holds the cable: every frame that its bridge forwards. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Captured {
  /** All that was sent to or from a port, by `tcp PORT` or `udp PORT`, each frame's payload after the other. */
  readonly sent: ReadonlyMap<string, Buffer>
  /** How many frames the kernel could not hand over. */
  readonly missed: number
}

/**
 * Reads along on these ports until `end` is called. A socket of the packet family sees every interface of the network that this process is in
 * (packet(7)), and so what passes from one host of the lab to another. Perl has it without a module, and is on every Debian.
 */
export const capture = async (ports: readonly number[]): Promise<{ end(): Promise<Captured> }> => {
  const child = spawn('perl', ['-e', READER, ...ports.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const chunks: Buffer[] = []
  const begun = Promise.withResolvers<void>()
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    begun.resolve()
  })
  const closed = once(child, 'close').then(([code]) => {
    begun.reject(new Error(`the reader ended with ${code}`))
    return code as number | null
  })
  await begun.promise
  return {
    async end() {
      child.stdin.end()
      const code = await closed
      if (code !== 0) throw new Error(`the reader ended with ${code}`)
      return captured(Buffer.concat(chunks))
    },
  }
}

/** Records as the reader writes them: protocol, the port of ours, and a payload's length before it; 0 is the end, and says what was missed. */
const captured = (all: Buffer): Captured => {
  const sent = new Map<string, Buffer[]>()
  let missed = 0
  for (let at = 0; at < all.length; ) {
    const [protocol, port, length] = [all.readUInt8(at), all.readUInt16BE(at + 1), all.readUInt32BE(at + 3)]
    at += HEADER
    if (protocol === 0) {
      missed = length
      continue
    }
    const key = `${protocol === 17 ? 'udp' : 'tcp'} ${port}`
    sent.set(key, [...(sent.get(key) ?? []), all.subarray(at, at + length)])
    at += length
  }
  return { sent: new Map([...sent].map(([key, parts]) => [key, Buffer.concat(parts)])), missed }
}
const HEADER = 7

/** AF_PACKET 17, SOCK_DGRAM 2 (from the IP header on), ETH_P_ALL; SO_RCVBUFFORCE 33; SOL_PACKET 263, PACKET_STATISTICS 6. */
const READER = `
use strict; my %wanted = map { $_ => 1 } @ARGV;
socket(my $wire, 17, 2, unpack('n', pack('S', 3))) or die "packets cannot be read: $!\\n";
setsockopt($wire, 1, 33, pack('i', 128 << 20)) or die "no room for packets: $!\\n";
binmode STDOUT; $| = 1; print pack('CnN', 0, 0, 0); my ($frame, $end) = ('', 0);
while (!$end) {
  my $set = ''; vec($set, fileno $wire, 1) = 1; vec($set, 0, 1) = 1;
  next unless select(my $ready = $set, undef, undef, undef) > 0;
  $end = 1 if vec($ready, 0, 1) && !sysread(STDIN, my $rest, 64);
  while (defined recv($wire, $frame, 262144, 0x40)) {
    next if length($frame) < 28 || ord($frame) >> 4 != 4;
    my $header = (ord($frame) & 15) * 4; my $protocol = unpack('x9C', $frame);
    next unless $protocol == 6 || $protocol == 17;
    my ($from, $to) = unpack("x$header nn", $frame);
    my $port = $wanted{$to} ? $to : $wanted{$from} ? $from : next;
    my $skip = $header + ($protocol == 17 ? 8 : (unpack('x' . ($header + 12) . 'C', $frame) >> 4) * 4);
    my $payload = substr($frame, $skip, unpack('x2n', $frame) - $skip);
    print pack('CnN', $protocol, $port, length $payload), $payload if length $payload;
  }
}
my $figures = getsockopt($wire, 263, 6); print pack('CnN', 0, 0, (unpack 'II', $figures)[1]);
`
