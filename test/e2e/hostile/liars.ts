/** A lab host that lies: each lie has a port of sshd of its own, so that an inventory takes each for a machine. */
import type { LabHost } from '../../../lib/lab/lab.ts'
import { onHost } from '../vestal.ts'

/** An sshd listens on no more (OpenSSH's MAX_LISTEN_SOCKS). */
const MOST_PORTS = 16

/** Lets each lie, sh, be what root's sessions run on a port of its own, from the first on. Returns the hosts as an inventory has them, by lie. */
export const liars = async (
  machine: LabHost,
  lies: Readonly<Record<string, string>>,
  firstPort: number,
): Promise<Readonly<Record<string, object>>> => {
  const ports = Object.entries(lies).map(([name, lie], at) => ({ name, lie, port: firstPort + at }))
  const starts = Array.from({ length: Math.ceil(ports.length / MOST_PORTS) }, (_, at) => {
    const some = ports.slice(at * MOST_PORTS, (at + 1) * MOST_PORTS)
    const unit = `lies-${firstPort}-${at}`
    return `cat >/opt/lies/${unit} <<'END'
${some.map(({ port }) => `Port ${port}`).join('\n')}
AddressFamily inet
PidFile none
MaxStartups 500:100:500
MaxSessions 100
ForceCommand exec sh /opt/lies/"\${SSH_CONNECTION##* }"
END
systemctl stop --quiet ${unit} 2>/dev/null || :
systemd-run --quiet --unit=${unit} /usr/sbin/sshd -D -f /opt/lies/${unit}`
  })
  const programs = ports.map(
    ({ name, lie, port }) => `rm -f /run/lie-${port}
cat >/opt/lies/${port} <<'END'
# ${name}
honest() ( eval "$SSH_ORIGINAL_COMMAND" )
${lie}
END`,
  )
  await onHost(machine.address, 'sh -eu -s', ['mkdir -p /opt/lies', ...programs, ...starts, 'sleep 1'].join('\n'))
  return Object.fromEntries(
    ports.map(({ name, port }, at) => [
      name,
      {
        // They share a machine, and are to be taken for machines of their own: nothing is asked under these addresses.
        vestal: { address: `10.88.0.${100 + at}` },
        ansible_host: machine.address,
        ansible_port: port,
        ansible_ssh_extra_args: `-o HostKeyAlias=${machine.address}`,
      },
    ]),
  )
}

/** What has been honest once, and then lies. */
export const afterReading = (lie: string): string => `count=/run/lie-\${SSH_CONNECTION##* }
if [ ! -e "$count" ]; then : >"$count"; honest; exit; fi
${lie}`

/** Takes the lies and their ports away. */
export const noMoreLies = (machine: LabHost): Promise<string> =>
  onHost(machine.address, "systemctl stop 'lies-*'; rm -rf /opt/lies /run/lie-*")
