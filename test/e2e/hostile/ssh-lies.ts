/** The ways in which a machine lies over SSH: what its account runs in place of what it is asked for, and what comes of it. */
export interface SshLie {
  /** sh, run for each session; `honest` runs what was asked for. */
  readonly runs: string
  /** How the host fails in a plan; null where it is read all the same. */
  readonly fails: RegExp | null
}

const ready = "printf 'vestal-ready %s\\n' $$"
/** What is asked for runs, and its output goes through perl. */
const altered = (perl: string): string => `honest | perl -0777 -pe ${quote(perl)}`
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const LIMIT = /a script did not end within 4 m 00 s/
const CUT = /the reading was cut off/
const NOTHING = /started nothing within 1 m 00 s/
const NOISE = /the login shell printed more than 128 MiB and started nothing/

export const SSH_LIES: Readonly<Record<string, SshLie>> = {
  // Before it says that it is ready
  silent: { runs: 'exec sleep 900', fails: NOTHING },
  'noise-without-end': { runs: "exec yes 'Welcome! Your quota is fine.'", fails: NOISE },
  'noise-of-one-line': { runs: 'exec perl -e \'$|=1; print "x" x 65536 while 1\'', fails: NOISE },
  'noise-of-64-mb': {
    runs: "yes 'Welcome! vestal-ready 1 is what you will hear.' | head -c 64000000; echo; honest",
    fails: null,
  },
  'noise-that-is-binary': { runs: 'head -c 1000000 /dev/urandom; echo; honest', fails: null },
  'not-a-shell': {
    runs: "printf '\\033[2JThis account is not available.\\n'; exit 1",
    fails: /the login shell ran nothing/,
  },
  'killed-at-once': { runs: 'kill -9 $$', fails: /./ },
  'a-pid-without-end': { runs: "printf 'vestal-ready %01000d\\n' 7; exec sleep 900", fails: NOTHING },
  'ready-in-the-middle': { runs: "printf 'you will see vestal-ready 12\\n\\rvestal-ready x\\n'; honest", fails: null },
  // After it
  'ready-and-gone': { runs: `${ready}; exit 0`, fails: CUT },
  'ready-and-silent': { runs: `${ready}; cat >/dev/null; exec sleep 900`, fails: LIMIT },
  'ready-and-deaf': { runs: `${ready}; exec sleep 900`, fails: LIMIT },
  'output-without-end': { runs: `${ready}; exec yes`, fails: /a script printed more than 8 MiB/ },
  'errors-without-end': { runs: `${ready}; exec yes >&2`, fails: /more than 128 MiB of errors/ },
  'a-byte-now-and-then': { runs: `${ready}; while :; do printf x; sleep 0.2; done`, fails: LIMIT },
  'half-a-gigabyte': { runs: `${ready}; exec head -c 500000000 /dev/zero`, fails: /a script printed more than 8 MiB/ },
  'bytes-by-chance': { runs: `${ready}; exec head -c 4000000 /dev/urandom`, fails: CUT },
  'exit-code-255': { runs: `${ready}; cat >/dev/null & exit 255`, fails: CUT },
  'ended-by-a-signal': { runs: `${ready}; kill -TERM $$`, fails: /./ },
  'cut-short': { runs: 'honest | head -c 300', fails: CUT },
  'a-forged-end': {
    runs: altered('s/\\x1e(\\S+) facts.*/\\x1e$1 facts \\n\\x1e$1 end \\n/s'),
    fails: /its clock says ""/,
  },
  'forged-marks': {
    runs: altered('s/\\x1e(\\S+) (\\S+)/\\x1e$1 locked boo\\n\\x1e$1 $2/g'),
    fails: null,
  },
  'marks-without-end': { runs: altered('s/\\x1e(\\S+) facts/"\\x1e$1 facts \\n" x 300000/e'), fails: /./ },
  // What it says of itself
  'a-clock-of-words': { runs: altered('s/^clock=.*/clock=now/m'), fails: /its clock says "now", which is no number/ },
  'a-clock-of-a-megabyte': {
    runs: altered('s/^clock=.*/"clock=" . "9" x 1000000/me'),
    fails: /its clock is 1000000 characters long/,
  },
  'a-clock-far-ahead': { runs: altered('s/^clock=.*/"clock=" . "9" x 29/me'), fails: null },
  'a-system-of-a-megabyte': {
    runs: altered('s/^os=.*/"os=" . "x" x 1000000/me'),
    fails: /its os is 1000000 characters long/,
  },
  'a-title-for-an-architecture': {
    runs: altered('s/^arch=.*/arch=\\x1b]0;owned\\x07/m'),
    fails: /its architecture is/,
  },
  'no-systemd': { runs: altered('s/^systemd=.*/systemd=-1/m'), fails: /systemd does not run there/ },
  'a-lock-of-escapes': {
    runs: altered('s/^clock=/lock=\\x1b[2J\\nlock=never\\nlock=\\xe2\\x80\\xaebob\\nclock=/m'),
    fails: null,
  },
  // What it says of its files and services
  'modes-that-are-shell': { runs: altered('s/\\x00644\\x00/\\x00644 \\/;reboot;#\\x00/g'), fails: /a mode is/ },
  'times-that-are-none': {
    runs: altered('s/(ExecMainStartTimestamp=)[^\\n\\x00]*/$1Sat 2025-19-39 16:21:03.000000 UTC/g'),
    fails: /a time is/,
  },
  'names-of-escapes': { runs: altered('s#/usr/local/bin/#/usr/\\x1b[2J\\xe2\\x80\\xae/#g'), fails: null },
  'no-ends-of-names': { runs: altered('s/\\x00/\\n/g'), fails: null },
  'other-digits': { runs: altered('s/(\\x1e\\S+ kind .*)/my $x = $1; $x =~ tr,0-9,x,; $x/se'), fails: /./ },
  'everything-twice': { runs: 'honest >/tmp/lie.$$; cat /tmp/lie.$$ /tmp/lie.$$; rm /tmp/lie.$$', fails: null },
}

/** Lies in a session that changes the host, after one in which it was read honestly. */
export const CHANGE_LIES: Readonly<Record<string, string>> = {
  'change-without-end': `${ready}; exec yes`,
  'change-of-escapes': `${ready}; cat >/dev/null; printf '\\033]0;owned\\007\\033[2J' >&2; exit 3`,
  'change-of-chance': `${ready}; cat >/dev/null; head -c 4000000 /dev/urandom`,
  'change-and-gone': `${ready}; exit 0`,
  'change-that-never-was':
    "printf 'vestal-ready %s\\n' $$; perl -0777 -ne '($n) = /printf .\\\\036%s %s %s.n. (\\w+)/; print \"\\x1e$n code 0 0\\n\\x1e$n facts \\n\\x1e$n end \\n\"'",
}
