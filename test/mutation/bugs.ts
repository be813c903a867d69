/** Bugs to plant in the engine, one at a time. Each is one place of one file, as it stands there, and what is written in its stead. */
export interface Bug {
  /** Below lib/engine/, without its ending. */
  readonly file: string
  /** The tests that are asked first; the others only where these find nothing. */
  readonly near: readonly string[]
  /** What goes wrong, as an operator would see it. */
  readonly breaks: string
  /** Stands in the file exactly once. */
  readonly from: string
  readonly to: string
}

const of = (
  file: string,
  near: readonly string[],
  ...bugs: readonly (readonly [breaks: string, from: string, to: string])[]
): readonly Bug[] => bugs.map(([breaks, from, to]) => ({ file, near, breaks, from, to }))

export const bugs: readonly Bug[] = [
  ...of(
    'batches',
    ['batches', 'order'],
    ['a batch has one host too many', 'one.length < size', 'one.length <= size'],
    ['a percentage is rounded up', 'Math.floor(', 'Math.ceil('],
    ['hosts that must be kept apart share a batch', '!(apart && one.some(', '!(!apart && one.some('],
    ['without a batch size hosts go one by one', 'return Number.POSITIVE_INFINITY', 'return 1'],
  ),
  ...of(
    'plan',
    ['plan', 'order'],
    [
      'a percentage is of busy hosts only',
      'hostWorks.filter(({ work }) => work.play === play).length }',
      'busy.length }',
    ],
    ['hosts with nothing to do get a batch', 'planned.length > 0)', 'planned.length >= 0)'],
    ['hosts that are not interrupted wait for a batch too', '      busy.filter(interrupts),', '      busy,'],
    [
      'a host counts as interrupted only where all its steps interrupt',
      'host.planned.some(({ steps }) => steps.some',
      'host.planned.every(({ steps }) => steps.some',
    ],
    ['what must be removed is told as created', "change.from === null ? 'create'", "change.to === null ? 'create'"],
    [
      'tasks that are right already are not counted',
      'same: work.items.length - planned.length',
      'same: work.items.length',
    ],
    ['a play’s batches have hosts of other plays', 'work.play === play && planned.length', 'planned.length'],
    ['the plan’s number of changes is that of hosts', '.flatMap(({ planned }) => planned)).length', ').length'],
  ),
  ...of(
    'play',
    ['order', 'gates-of-a-run', 'watched-run', 'interrupted'],
    ['one failure fewer may happen than max-fail says', '<= (play.maxFail ?? 0)', '< (play.maxFail ?? 0)'],
    ['failures of earlier batches are forgotten', 'failures += ended', 'failures = ended'],
    ['a batch that did not start lets the next one start', 'ended.hosts > 0 && failures', 'failures'],
    ['a failed play ends runs that are to go on', 'if (broken && stops) {', 'if (broken) {'],
    ['a failed play does not end a run that is to stop', 'if (broken && stops) {', 'if (broken && !stops) {'],
    [
      'an interrupted run goes on with the next batch',
      "if (context.options.stop.aborted) broken ??= 'the run was interrupted'",
      '',
    ],
    [
      'a failed batch does not stop the next one',
      '      skip(context, hosts, broken)\n      continue',
      '      skip(context, hosts, broken)',
    ],
    [
      'a host that failed is changed by later plays',
      '!context.state.failed.has(work.host))\n    skip',
      'true)\n    skip',
    ],
    [
      'hosts that could not be read stop a run although so many may fail',
      'unread.length > Math.max(',
      'unread.length >= Math.max(',
    ],
    ['hosts that could not be read never stop a run', 'if (stops && unread.length', 'if (!stops && unread.length'],
    ['a play starts before alerts are watched', 'if (!meanwhile) await begun', 'if (meanwhile) await begun'],
    ['alerts are watched from the start', "play.watch === 'before' ? undefined : beginWatch", 'beginWatch'],
    ['a watch that could not begin is no failure', '    await begun\n    broken', '    broken'],
    ['the watch begins once for each play', '|| state.watching) return', ') return'],
    ['the failed host itself is told as not touched', 'batches.indexOf(batch) + 1', 'batches.indexOf(batch)'],
    [
      'hosts with nothing to do are not asked whether they serve',
      '{ play, hosts: idle }), ...afterAll',
      '{ play, hosts: [] }), ...afterAll',
    ],
    ['hosts that were changed are asked once more as idle', '!busy.has(host) && !context', '!context'],
    [
      'hosts that failed are asked whether they are healthy',
      '!busy.has(host) && !context.state.failed.has(host)',
      '!busy.has(host)',
    ],
    [
      'an idle host that does not serve is no failure of its play',
      'return said\n}\n\nconst tellStop',
      'return undefined\n}\n\nconst tellStop',
    ],
    [
      'gates after a play that changes nothing are not asked',
      'batches.length === 0 && idle.length > 0',
      'batches.length !== 0 && idle.length > 0',
    ],
    ['the report does not say why a play ended', 'state.stops.push(', 'void ('],
    ['plays run in reverse', 'for (const play of book.plays) {', 'for (const play of book.plays.toReversed()) {'],
  ),
  ...of(
    'batch',
    ['gates-of-a-run', 'order', 'changed', 'interrupted'],
    ['the gates before a batch are asked and ignored', '  if (before) {', '  if (!before) {'],
    ['the gates before a batch are never asked', 'play.before?.(scope) ?? []', '[]'],
    [
      'the gates before are asked of hosts that nothing interrupts',
      'const before = batch.interrupts',
      'const before = true',
    ],
    [
      'what a play keeps is kept although a gate said no',
      '.said ?? (await keep(context, batch, scope)))',
      '.said && (await keep(context, batch, scope)))',
    ],
    [
      'gates are asked before the hosts are changed',
      'await Promise.all(batch.hosts.map((host) => limit',
      'void Promise.all(batch.hosts.map((host) => limit',
    ],
    ['hosts go one after the other', 'pLimit(options.forks)', 'pLimit(1)'],
    ['forks count for nothing', 'pLimit(options.forks)', 'pLimit(Number.POSITIVE_INFINITY)'],
    ['a batch that failed counts as well', 'broken.length === 0 && !after.said', 'broken.length === 0 || !after.said'],
    ['a gate that failed counts as passed', 'broken.length === 0 && !after.said', 'broken.length === 0'],
    [
      'hosts that failed are asked whether they are healthy',
      'filter((host) => !broken.includes(host))',
      'filter(() => true)',
    ],
    ['a play’s gates after a batch are not asked', '...(play.after?.(scope) ?? []),\n  ])', '])'],
    ['a failing host counts as the whole batch', 'hosts: failed.length || hosts.length', 'hosts: hosts.length'],
    ['a failed gate counts as no failure', 'hosts: failed.length || hosts.length', 'hosts: failed.length'],
    ['a host that came out wrong is not taken back', 'await mendBroken(context, play, broken),', ''],
    [
      'a gate that said no takes nothing back',
      'await takeBackThose(context, { ...batch, hosts: served }, after)',
      "''",
    ],
    ['a failed task is no failure of its host', "if (outcome.status !== 'failed') continue", 'continue'],
    [
      'a lost link is no failure of its host',
      "const failure = hostFailure(at, error, 'apply', options)\n    state.failed.add(at)",
      "const failure = hostFailure(at, error, 'apply', options)",
    ],
    [
      'a lost link has no hint',
      'ms: Date.now() - startedAt, why: failure.message, hint: failure.hint }\n    skip',
      'ms: Date.now() - startedAt, why: failure.message }\n    skip',
    ],
    ['of a lost host nothing is said of its tasks', "    skip({ state }, [host], 'the host failed')\n", ''],
    ['a host taken back in its script is taken back again', 'if (takenBack) state.takenBack.add(at)', ''],
    ['Ctrl-C abandons what is under way', 'signal: options.abandon', 'signal: options.stop'],
    ['a second Ctrl-C abandons nothing', 'signal: options.abandon', 'signal: undefined'],
    ['hosts that this run has locked get no sign of life', 'state.locked.add(at)', ''],
    ['what could not be kept is no failure of its host', 'state.failed.add(at.work.host)\n    note', 'note'],
    ['the run’s own change looks like another run’s', 'lastRun: reading.facts.lastRun', "lastRun: ''"],
    ['changes are miscounted', "status === 'changed').length", "status !== 'changed').length"],
  ),
  ...of(
    'recover',
    ['taken-back', 'interrupted'],
    [
      'only plays that leave hosts as they are take them back',
      "if (batch.play.onGateFailure !== 'take-back') return ''",
      "if (batch.play.onGateFailure === 'take-back') return ''",
    ],
    [
      'hosts whose gates passed are taken back',
      'filter(({ pass }) => !pass).map(({ host })',
      'filter(({ pass }) => pass).map(({ host })',
    ],
    [
      'all of a batch is taken back for one host',
      'theirs.length > 0 ? theirs : batch.hosts)',
      'theirs.length > 1 ? theirs : batch.hosts)',
    ],
    ['nobody is taken back for a gate of somebody else', '(theirs.length > 0 ? theirs : batch.hosts)', 'theirs'],
    ['a first install is taken back', ': batch.hosts).filter(canTakeBack)', ': batch.hosts)'],
    [
      'a host that was taken back is changed by later plays',
      '  const startedAt = Date.now()\n  state.failed.add(at)',
      '  const startedAt = Date.now()',
    ],
    [
      'what became of tasks that were taken back is not told',
      '    note(state.outcomes, at, outcomes)\n    state.takenBack',
      '    state.takenBack',
    ],
    ['Ctrl-C leaves a host half taken back', 'signal: options.abandon', 'signal: options.stop'],
    [
      'a host that was taken back must be as the inventory wants',
      "gatesOf(context, 'serves'",
      "gatesOf(context, 'healthy'",
    ],
    [
      'a host taken back by its own script is taken back twice',
      '!state.takenBack.has(host.work.host) && canTakeBack(host)',
      'canTakeBack(host)',
    ],
    ['a host whose link was lost is taken back blindly', ' && failureOf(state, host) !== undefined', ''],
    [
      'hosts that were taken back are not asked whether they serve',
      "|| hosts.length === 0) return ''",
      "|| hosts.length > 0) return ''",
    ],
    [
      'hosts that were not taken back are said to be',
      'broken.filter((host) => state.takenBack.has(host.work.host))',
      'broken',
    ],
    ['the last words of a program are lost', 'if (said) state.lastWords.set(at, said)', ''],
    [
      'what could not be put back is told as put back',
      "every(({ status }) => status !== 'failed')",
      "some(({ status }) => status !== 'failed')",
    ],
    [
      'a link lost while taking back is not told',
      "note(state.outcomes, at, { [failure.task ?? 'take back']: failed })",
      '',
    ],
  ),
  ...of(
    'converge',
    ['changed', 'taken-back'],
    [
      'a step that lies counts as changed',
      "      if (!left) return [id, { status: 'changed', ms }]",
      "      if (left !== undefined) return [id, { status: 'changed', ms }]",
    ],
    ['large files arrive after the steps that need them', '  await sendUploads(connection, steps, options)\n', ''],
    [
      'one large file is sent once for each step',
      '[[upload.sha256, upload]]',
      '[[upload.sha256 + Math.random(), upload]]',
    ],
    ['a host that is locked looks like a lost link', '  refused(connection, answer.code, framed)\n', ''],
    [
      'a reading that was cut off counts as a proof',
      'if (!reading) throw cutOff',
      'if (reading === undefined) throw cutOff',
    ],
    ['a step that fails with code 1 counts as done', 'code !== 0)?.[0]', 'code > 1)?.[0]'],
    [
      'a step that was never run counts as done',
      'mine.some((index) => !codes.has(index))',
      'mine.every((index) => !codes.has(index) && codes.size === 0)',
    ],
    ['an undo that failed is forgotten when a restart went well', 'Math.max(', 'Math.min('],
    [
      'a change that was taken back counts as kept',
      'if (mine.some((index) => undone.has(index))) {',
      'if (mine.length === 0) {',
    ],
    ['a failed step is told without its words', 'outputOf(framed, failed) || ', ''],
    [
      'hosts that failed by themselves are not known as taken back',
      'takenBack: failedStep(framed) !== undefined',
      'takenBack: failedStep(framed) === undefined',
    ],
    [
      'the wrong step is named where a script was cut off',
      "framed.findLast(({ event }) => event === 'step')",
      "framed.find(({ event }) => event === 'step')",
    ],
    ['another run’s change is overwritten in silence', 'if (code === 76) {', 'if (code === 67) {'],
    ['the hint praises what could not be taken back', '.every((code) => code === 0)', '.some((code) => code === 0)'],
  ),
  ...of(
    'compare',
    ['compare'],
    [
      'what must not be there stays',
      'return from === null ? null : { task, from, to: null, fields: [] }',
      'return null',
    ],
    ['fields that nobody cares for are changed', 'value !== undefined && from', 'from'],
    ['what differs in one field only counts as the same', 'fields.length === 0 ? null', 'fields.length <= 1 ? null'],
    ['what is the same is done again', 'fields.length === 0 ? null', 'fields.length < 0 ? null'],
    ['fields that are right are named as wrong', 'from?.[field] !== value', 'from?.[field] === value'],
    ['a kind’s own words are not used', 'if (said) return said', ''],
  ),
  ...of(
    'take-back',
    ['taken-back'],
    ['what was taken back is told as a failure', 'code === 0 ? [] : [steps', 'code !== 0 ? [] : [steps'],
    ['a host that serves cannot be taken back', 'restore !== undefined', 'restore === undefined'],
    ['a locked host looks like a lost link', '  refused(connection, answer.code, framed)\n', ''],
    ['the first of the last words is told', 'lines.findLast(', 'lines.find('],
    ['half an answer counts as taken back', 'if (!reading) throw cutOff', 'if (reading === undefined) throw cutOff'],
    ['the reason is not told', '`taken back: ${because}`', '`taken back`'],
  ),
  ...of(
    'run',
    ['plan', 'interrupted', 'watched-run', 'locks'],
    [
      'an answer of no changes machines all the same',
      'if (!(await options.confirm(plan))) return',
      'if (await options.confirm(plan)) return',
    ],
    ['it does not wait for the answer', '!(await options.confirm(plan))', '!options.confirm(plan)'],
    ['signs of life go on after the run', '    clearInterval(heartbeat)', '    void heartbeat'],
    ['hosts that could not be read do not count as failed', '    failed.add(host)\n', ''],
    ['an interrupted run connects to further hosts', '      options.stop.throwIfAborted()\n', ''],
    ['an interrupted run counts as done', 'interrupted: options.stop.aborted', 'interrupted: options.abandon.aborted'],
    ['gates of the watch are not in the report', '...(watched?.gates ?? [])', ''],
    [
      'a watch that never began is ended',
      'state.watching ? await options.watch?.end()',
      'true ? await options.watch?.end()',
    ],
    [
      'tasks that are the same are not in the report',
      "note(outcomes, work.host, { [taskId(item.task)]: { status: 'same' } })",
      'void item',
    ],
    ['only the first play’s tasks are read', 'const tasks = mine.flatMap(', 'const tasks = mine.slice(0, 1).flatMap('],
    ['hosts are read one after the other', 'pLimit(options.forks)', 'pLimit(1)'],
    ['a reading has no end that is told', "[reading.task ?? 'connect']", "['connect']"],
    ['a host that cannot be read has no hint', 'why: reading.message, hint: reading.hint', 'why: reading.message'],
    ['diffs of a host’s first play are lost', '...(diffs.get(host.name) ?? []), ...diff', '...diff'],
    [
      'diffs are fetched though nobody asked',
      'if (!options.diff) return plan',
      'if (options.diff === undefined) return plan',
    ],
    ['connections stay open', 'await using pool', 'const pool'],
    ['unreachable hosts are not in the plan', 'reading instanceof Error ? [[host, reading.message]] : []', '[]'],
    [
      'signs of life go to hosts that are not locked',
      'for (const host of state.locked) {',
      'for (const host of options.hosts) {',
    ],
  ),
  ...of(
    'context',
    ['changed', 'locks', 'order'],
    ['a task’s outcome replaces those of the others', '{ ...outcomes[host.name], ...more }', '{ ...more }'],
    [
      'an earlier outcome wins over a later one',
      '{ ...outcomes[host.name], ...more }',
      '{ ...more, ...outcomes[host.name] }',
    ],
    ['every lock is broken', 'break: options.breakLock.includes(host.name)', 'break: true'],
    ['no lock is ever broken', 'break: options.breakLock.includes(host.name)', 'break: false'],
    [
      'a bug looks like a failure of the host',
      'if (!failure) throw error',
      'if (!failure) return new HostError(host.name, String(error))',
    ],
    ['a host’s failure is not told as it happens', '  options.emit({', '  void ({'],
  ),
  ...of(
    'script',
    ['taken-back', 'changed'],
    [
      'changes are taken back in the order in which they were made',
      '    .reverse()\n    .map(({ step, index }) => undoScript',
      '    .map(({ step, index }) => undoScript',
    ],
    [
      'services are started before their files are back',
      '  ...steps.map((step, index) => restoreScript(step, index, frame)),\n]',
      ']',
    ],
    ['the step that failed is taken back as if it had gone well', '-gt ${index}', '-ge ${index}'],
    ['the step that failed is not brought back', '-ge ${index}', '-gt ${index}'],
    [
      'steps after a failed one are run',
      'if [ -z "$vestal_failed" ]; then\n${frame.mark(\'step\'',
      "if :; then\n${frame.mark('step'",
    ],
    ['the lock is not taken', '    takeLock(lock),\n', ''],
    ['large files stay on the host', '    clearUploads,\n', ''],
    ['a change that failed leaves a way back to it', "    ':',\n    'else',", "    ':','fi', 'if :; then',"],
    ['last words are not asked for', 'step.lastWords ?', 'step.lastWords === null ?'],
  ),
]
