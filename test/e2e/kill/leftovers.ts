/**
 * A shell script that looks on a host for what a killed deploy could leave behind, and prints a line for each thing it finds:
 * half-written files, processes of the deploy, a lock that a process holds, and services that run anything else than the disk says.
 * It knows nothing of how Vestal reads a host.
 */
export const leftovers = `
find /etc /opt /usr/local /var/lib/vestal /var/lib/prometheus /var/lib/alertmanager /var/lib/node_exporter /run/vestal \\
  \\( -name '*.vestal-new' -o -name '*.part' -o -name '*.part.*' -o -name .last-run -o -name '*.new' -o -path '/var/lib/vestal/uploads/*' \\) \\
  -printf 'left over: %p\\n'

for process in /proc/[0-9]*; do
  pid=\${process#/proc/}
  if grep -qsz '^VESTAL_RUN=' "$process/environ" || grep -qs '[v]estal-ready' "$process/cmdline"; then echo "process $pid is of a deploy: $(tr '\\0' ' ' <"$process/cmdline" | head -c 100)"; fi
done

if [ -e /run/vestal/lock ]; then
  sed -n 's/^\\(session\\|script\\)=//p' /run/vestal/lock | while read -r pid started; do
    now=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d ' ' -f 20)
    if [ "$now" = "$started" ]; then echo "the lock is held by process $pid"; fi
  done
fi

for name in node_exporter prometheus alertmanager; do
  unit=$name.service
  if [ ! -e "/etc/systemd/system/$unit" ]; then continue; fi
  show() { systemctl show --property="$1" --value "$unit"; }
  pid=$(show MainPID)
  if [ "$(show ActiveState) $(show UnitFileState)" != 'active enabled' ] || [ "$pid" = 0 ]; then
    echo "$unit is $(show ActiveState) and $(show UnitFileState)"
    continue
  fi
  running=$(readlink "/proc/$pid/exe")
  if [ "$running" != "$(readlink -f "/usr/local/bin/$name")" ]; then echo "$name runs $running"; fi
  if [ "$(show NeedDaemonReload)" != no ]; then echo "systemd has not read $unit"; fi
  told=$(systemctl show --property=ExecStart "$unit" | sed 's/.*argv\\[\\]=//; s/ ; ignore_errors=.*//')
  if [ "$told" != "$(tr '\\0' ' ' <"/proc/$pid/cmdline" | sed 's/ $//')" ]; then echo "$name was started as $(tr '\\0' ' ' <"/proc/$pid/cmdline")"; fi
  since=$(date -d "$(show StateChangeTimestamp)" +%s)
  find "/etc/$name" "/etc/systemd/system/$unit" -type f -newermt "@$((since + 1))" -printf "$name is older than %p\\n"
done
`
