import { InputError } from '../errors.ts'
import type { Kind, Task } from '../model.ts'
import { words } from '../shell.ts'

/** `missing` names those not installed. */
export type PackagesState = Readonly<{ missing: string }>

export const packagesKind: Kind<PackagesState, readonly string[]> = {
  name: 'package',
  summary:
    'Packages from the system’s own package manager (apt or dnf), any version. They stay when a later task fails.',
  probe: (tasks) => {
    const names = words([...new Set(tasks.flatMap(({ data }) => data))])
    return `if command -v dpkg-query >/dev/null; then
  dpkg-query --show --showformat '\${Package} \${db:Status-Status}\\n' -- ${names} 2>/dev/null
elif command -v rpm >/dev/null; then
  rpm -q --queryformat '%{NAME} installed\\n' -- ${names} 2>/dev/null
fi`
  },
  parse: (stdout, tasks) => {
    const installed = new Set(stdout.toString().match(/^\S+(?= installed$)/gm))
    return new Map(
      tasks.map(({ key, data }) => [key, { missing: data.filter((name) => !installed.has(name)).join(', ') }]),
    )
  },
  converge: ({ from, task: { data } }) => {
    const missing = data.filter((name) => from?.missing.split(', ').includes(name))
    return [{ title: `install ${missing.join(', ')}`, run: install(words(missing)) }]
  },
  explain: ({ from }) => `${from?.missing} not installed`,
}

/** These packages installed. Throws InputError on what cannot be a package's name. */
export const packages = (names: readonly string[]): Task<PackagesState, readonly string[]> => {
  const odd = names.filter((name) => !/^[A-Za-z0-9][\w.+-]*$/.test(name))
  if (odd.length > 0) {
    throw new InputError(
      odd.map((name) => ({
        where: `package ${JSON.stringify(name)}`,
        what: 'is not a package’s name',
        fix: 'Give names only, no versions or options.',
      })),
    )
  }
  return { kind: packagesKind, key: names.join(' '), desired: { missing: '' }, data: names }
}

/**
 * The lists are fetched only when installing from what is known fails, which also mends an interrupted dpkg first.
 * apt waits for dpkg's lock by itself, but not for that of the lists.
 */
const install = (names: string): string => `if command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  get() { apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"; }
  if ! get install -y --no-install-recommends -- ${names} >/dev/null 2>&1; then
    dpkg --configure -a >/dev/null 2>&1 || :
    tries=0
    until said=$(get update 2>&1); do
      tries=$((tries + 1))
      case $said in *lock*) [ "$tries" -lt 40 ] && sleep 3 && continue ;; esac
      printf '%s\\n' "$said" >&2
      break
    done
    get install -y --no-install-recommends -- ${names}
  fi
elif command -v dnf >/dev/null; then
  dnf -y -q install -- ${names}
elif command -v yum >/dev/null; then
  yum -y -q install -- ${names}
else
  printf 'neither apt-get nor dnf is here to install packages with\\n' >&2
  exit 1
fi`
