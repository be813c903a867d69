/**
 * Rules with the verdict that a person gave, by hand and before the linter was asked, and why. They have the shapes of the rules of published
 * mixins, and beside them whatever can go wrong. An experiment evaluates each of them on three shards and on one server: `test/e2e/shards`.
 */
export interface Case {
  readonly expr: string
  /** Rules that stand before it. */
  readonly after?: readonly {
    readonly record?: string
    readonly alert?: string
    readonly expr: string
    readonly labels?: Labels
  }[]
  readonly labels?: Labels
  readonly annotations?: Labels
  /** What targets are hashed by; default: their address. */
  readonly by?: readonly string[]
  /** Jobs that every shard scrapes. */
  readonly everywhere?: readonly string[]
  readonly safe: boolean
  /** Labels that would make it safe, `never`, or those with which it would not be. Default: not looked at. */
  readonly help?: readonly string[] | 'never' | { readonly but: readonly string[] }
  readonly why: string
  /**
   * The metrics of each target: `metric label=a|b` has a series for each value; `metric@job` only those of that job; `metric=1` is always 1.
   * Targets have the labels job (app, db), instance (h1 to h4, in both jobs) and namespace (red, blue, green).
   */
  readonly series: string
}
type Labels = Readonly<Record<string, string>>

const ALERT = 'each series by itself, on the shard that scrapes its target'
const ALL = 'what is added up lies on several shards'
const PER_TARGET = 'a target is whole on one shard, and job and instance name it'

export const cases: readonly Case[] = [
  // Each series by itself.
  { expr: 'up == 0', safe: true, why: ALERT, series: 'up' },
  { expr: 'rate(drops_total[5m]) > 0', safe: true, why: ALERT, series: 'drops_total' },
  { expr: 'increase(fails_total{job="app"}[10m]) > 1', safe: true, why: ALERT, series: 'fails_total' },
  { expr: 'changes(started_at[10m]) > 2', safe: true, why: ALERT, series: 'started_at' },
  { expr: '-clamp_min(delta(level[5m]), 0) < -1', safe: true, why: ALERT, series: 'level' },
  { expr: 'max_over_time(reload_ok[5m]) == 0', safe: true, why: ALERT, series: 'reload_ok' },
  { expr: 'quantile_over_time(0.9, level[10m]) >= 1', safe: true, why: ALERT, series: 'level' },
  {
    expr: 'avg_over_time((level > 0)[10m:2m]) > 1',
    safe: true,
    why: 'a subquery looks at the same series',
    series: 'level',
  },
  { expr: 'level offset 3m > bool 1 + 0', safe: true, why: 'another time, the same series', series: 'level' },
  { expr: 'time() - stamp > 60', safe: true, why: 'the time is the same on all shards', series: 'stamp' },
  {
    expr: 'predict_linear(free[10m], 600) < 0 and free < 2',
    safe: true,
    why: 'the same target on both sides',
    series: 'free',
  },
  {
    expr: 'label_replace(up, "host", "$1", "instance", "(.*)")',
    safe: true,
    why: 'a label more; job and instance stay',
    series: 'up',
  },
  { expr: 'up and on () hour() >= 0', safe: true, why: 'the hour is the same on all shards', series: 'up' },
  { expr: 'vector(1)', safe: true, why: 'the same on all shards, and one alert in Alertmanager', series: 'up' },
  { expr: 'sort_desc(level) > 1', safe: true, why: 'a rule has no order', series: 'level' },
  // Label replaced: what says the shard is gone.
  {
    expr: 'label_replace(up{job="app", instance="h1"} == 0, "instance", "any", "", "") or label_replace(up{job="app", instance="h2"} == 0, "instance", "any", "", "")',
    safe: false,
    why: 'which target it was can no longer be told: the alert of one shard ends where another shard’s begins',
    series: 'up',
  },
  {
    expr: 'label_join(up{job="app"} == 0, "instance", "-", "namespace")',
    safe: false,
    why: 'targets of one namespace become one series, of several shards',
    series: 'up',
  },
  {
    expr: 'up{job="app", instance=~"h1|h2"} == 0',
    labels: { instance: 'fleet', namespace: 'any' },
    safe: false,
    why: 'the label of the rule hides the target',
    series: 'up',
  },
  { expr: 'up == 0', labels: { severity: 'page' }, safe: true, why: 'a label that names no target', series: 'up' },
  {
    expr: 'up == 0',
    labels: { seen: '{{ query "count(up)" | first | value }}' },
    safe: false,
    help: 'never',
    why: 'the template asks its own shard',
    series: 'up',
  },
  {
    expr: 'up == 0',
    labels: { seen: '{{ $labels.namespace }} has no query' },
    safe: true,
    why: 'the word alone asks nothing',
    series: 'up',
  },
  // Aggregations.
  { expr: 'sum(level)', safe: false, help: 'never', why: ALL, series: 'level' },
  { expr: 'sum by (job) (level) > 6', safe: false, help: ['job'], why: ALL, series: 'level' },
  { expr: 'sum by (job) (level) > 2', by: ['job'], safe: true, why: 'a job is on one shard', series: 'level' },
  { expr: 'sum by (namespace, job) (level) > 3', safe: false, help: ['job', 'namespace'], why: ALL, series: 'level' },
  {
    expr: 'sum by (namespace, job) (level) > 3',
    by: ['namespace'],
    safe: true,
    why: 'a namespace is on one shard',
    series: 'level',
  },
  { expr: 'sum without (cpu) (rate(busy_total[5m]))', safe: true, why: PER_TARGET, series: 'busy_total cpu=0|1' },
  {
    expr: '1 - avg without (cpu, mode) (busy_ratio{mode="idle"})',
    safe: true,
    why: PER_TARGET,
    series: 'busy_ratio cpu=0|1 mode=idle|user',
  },
  { expr: 'sum by (job, instance) (busy) > 1', safe: true, why: PER_TARGET, series: 'busy cpu=0|1' },
  {
    expr: 'sum by (instance) (busy{job="app"}) > 1',
    safe: true,
    why: 'one job: its instance names the target',
    series: 'busy cpu=0|1',
  },
  {
    expr: 'sum by (instance) (busy) > 3',
    safe: false,
    help: ['instance'],
    why: 'two jobs have an instance of the same name, on other addresses',
    series: 'busy cpu=0|1',
  },
  {
    expr: 'sum by (instance) (busy) > 3',
    by: ['instance'],
    safe: true,
    why: 'equal instances are on one shard',
    series: 'busy cpu=0|1',
  },
  {
    expr: 'sum without (instance) (busy) > 3',
    safe: false,
    help: { but: ['instance'] },
    why: ALL,
    series: 'busy cpu=0|1',
  },
  { expr: 'avg by (namespace) (level)', safe: false, help: ['namespace'], why: ALL, series: 'level' },
  {
    expr: 'max(level) by (namespace) > 1',
    safe: false,
    help: ['namespace'],
    why: 'the largest may be on another shard',
    series: 'level',
  },
  {
    expr: 'min by (cluster) (level) == 0',
    safe: false,
    help: ['cluster'],
    why: 'the smallest may be on another shard',
    series: 'level',
  },
  { expr: 'count(up == 1) < 5', safe: false, help: 'never', why: 'each shard counts its own', series: 'up' },
  {
    expr: 'count by (job) (up == 0) / count by (job) (up) > 0.3',
    safe: false,
    help: ['job'],
    why: 'each shard counts its own',
    series: 'up',
  },
  {
    expr: 'count(count_values("version", build)) > 1',
    safe: false,
    help: 'never',
    why: 'versions that differ are on two shards',
    series: 'build',
  },
  { expr: 'count_values by (job, instance) ("state", level)', safe: true, why: PER_TARGET, series: 'level slot=a|b|c' },
  {
    expr: 'count_values without (slot) ("instance", level)',
    safe: false,
    why: 'the target’s name is written over',
    series: 'level slot=a|b|c',
  },
  {
    expr: 'group by (namespace) (level > 1)',
    safe: false,
    help: ['namespace'],
    why: 'on two shards at times, and one alert',
    series: 'level',
  },
  { expr: 'stdvar by (job) (level) > 0.2', safe: false, help: ['job'], why: ALL, series: 'level' },
  {
    expr: 'quantile(0.5, level) > 0',
    safe: false,
    help: 'never',
    why: 'the middle of some is not that of all',
    series: 'level',
  },
  { expr: 'topk(2, level)', safe: false, help: 'never', why: 'each shard has two', series: 'level x=a|b' },
  {
    expr: 'topk by (job, instance) (1, level)',
    safe: false,
    help: 'never',
    why: 'of two that are equal a shard may keep the other',
    series: 'level slot=a|b|c',
  },
  {
    expr: 'bottomk(1, level) by (namespace)',
    safe: false,
    help: 'never',
    why: 'each shard has one',
    series: 'level',
  },
  { expr: 'limitk(2, level)', safe: false, help: 'never', why: 'each shard has two', series: 'level' },
  {
    expr: 'histogram_quantile(0.9, rate(took_bucket[5m])) > 1',
    safe: true,
    why: 'buckets of one target',
    series: 'took_bucket le=1|5|+Inf',
  },
  {
    expr: 'histogram_quantile(0.9, sum by (job, le) (rate(took_bucket[5m])))',
    safe: false,
    help: ['job'],
    why: 'buckets of several targets are added up',
    series: 'took_bucket le=1|5|+Inf',
  },
  {
    expr: 'histogram_quantile(0.9, sum by (instance, le) (rate(took_bucket{job="db"}[5m])))',
    safe: true,
    why: 'one job: its instance names the target',
    series: 'took_bucket le=1|5|+Inf code=200|500',
  },
  // What is not there.
  {
    expr: 'absent(up{job="app", instance="h1"} == 1)',
    safe: false,
    help: 'never',
    why: 'true on every other shard',
    series: 'up=1@app',
  },
  {
    expr: 'absent_over_time(beat{job="db"}[5m])',
    safe: false,
    help: 'never',
    why: 'true on a shard without a db',
    series: 'beat=1@db',
  },
  {
    expr: 'level > scalar(limit{job="db", instance="h1"})',
    safe: false,
    help: 'never',
    why: 'no number on the other shards',
    series: 'level; limit@db',
  },
  {
    expr: 'vector(scalar(level{job="app", instance="h2"}))',
    safe: false,
    help: 'never',
    why: 'no number on the other shards',
    series: 'level=1@app',
  },
  {
    expr: 'sum by (job, instance) (level) or on () vector(0)',
    safe: false,
    help: 'never',
    why: 'the zero also shows where another shard has a match',
    series: 'level',
  },
  {
    expr: 'vector(1) unless on () (level{job="app", instance="h1"} > 0)',
    safe: false,
    help: 'never',
    why: 'only one shard takes it away',
    series: 'level',
  },
  {
    expr: 'vector(1) and on () (level{job="app"} > 1)',
    safe: false,
    why: 'its shard changes, and `for` starts anew',
    series: 'level',
  },
  // Matching.
  {
    expr: 'used / size > 1',
    safe: true,
    why: 'the same labels on both sides: the same target',
    series: 'used disk=a|b; size disk=a|b',
  },
  {
    expr: 'fails{job="app"} / on (job, instance) tries{job="app"} > 0.5',
    safe: true,
    why: PER_TARGET,
    series: 'fails; tries',
  },
  {
    expr: 'fails / ignoring (reason) group_left () tries > 0.5',
    safe: true,
    why: 'all labels but one, job and instance among them',
    series: 'fails reason=a|b; tries',
  },
  {
    expr: 'fails{job="app"} * on (instance) group_left (namespace) tries{job="app"}',
    safe: true,
    why: 'one job: its instance names the target',
    series: 'fails reason=a|b; tries',
  },
  {
    expr: 'fails{job="app"} * on (instance) group_left () tries{job="db"} > 0',
    safe: false,
    help: ['instance'],
    why: 'the db of the same name may be on another shard',
    series: 'fails; tries',
  },
  {
    expr: 'fails{job="app"} * on (instance) group_left () tries{job="db"} > 0',
    by: ['instance'],
    safe: true,
    why: 'equal instances are on one shard',
    series: 'fails; tries',
  },
  {
    expr: 'fails * on (job, namespace) group_left () max by (job, namespace) (tries) > 0',
    safe: false,
    help: ['job', 'namespace'],
    why: 'the largest may be on another shard',
    series: 'fails; tries',
  },
  {
    expr: 'fails{job="app"} * on (job, instance) group_right (namespace) tries{job="app"} > 0',
    safe: true,
    why: 'job and instance are matched, and stay',
    series: 'fails; tries reason=a|b',
  },
  {
    expr: 'fails{job="app"} + on () group_left () tries{job="db", instance="h1"} > 2',
    safe: false,
    why: 'the one is on one shard',
    series: 'fails; tries',
  },
  {
    expr: 'members < on () group_left () count(up)',
    safe: false,
    why: 'each shard counts its own',
    series: 'members; up',
  },
  {
    expr: 'up == 0 and on (namespace) level > 1',
    safe: false,
    help: ['namespace'],
    why: 'what it looks for may be on another shard',
    series: 'up; level',
  },
  {
    expr: 'up == 0 and on (namespace) level > 1',
    by: ['namespace'],
    safe: true,
    why: 'a namespace is on one shard',
    series: 'up; level',
  },
  {
    expr: 'up == 0 unless on (namespace) level > 1',
    safe: false,
    help: ['namespace'],
    why: 'what takes it away may be on another shard',
    series: 'up; level',
  },
  { expr: 'up == 0 unless on (job, instance) level > 1', safe: true, why: PER_TARGET, series: 'up; level' },
  { expr: 'level > 1 or up == 0', safe: true, why: 'both sides keep all their labels', series: 'level; up' },
  {
    expr: 'level{job="app"} or on (instance) level{job="db"}',
    safe: false,
    help: ['instance'],
    why: 'the app of that name may be on another shard',
    series: 'level',
  },
  {
    expr: '2 * level offset 1m + 1 > 3',
    safe: true,
    why: 'a modifier belongs to the operand before it',
    series: 'level',
  },
  {
    expr: 'up or level offset 1m unless on (namespace) fails > 0',
    safe: false,
    help: ['namespace'],
    why: '`unless` binds tighter than `or`, with offset as without',
    series: 'up; level; fails',
  },
  // What rules make.
  {
    after: [{ record: 'job:level:sum', expr: 'sum by (job) (level)' }],
    expr: 'job:level:sum > 3',
    safe: false,
    help: ['job'],
    why: 'reads what is recorded where all shards are seen',
    series: 'level',
  },
  {
    after: [{ record: 'instance:busy:sum', expr: 'sum without (cpu) (busy)' }],
    expr: 'instance:busy:sum / on (job, instance) size > 1',
    safe: true,
    why: 'what is recorded for each target is matched with the same target',
    series: 'busy cpu=0|1; size',
  },
  {
    after: [{ record: 'instance:busy:sum', expr: 'sum by (instance) (busy{job="app"})' }],
    expr: 'max_over_time(instance:busy:sum[5m]) / on (instance) size{job="app"} > 1',
    safe: true,
    why: 'only one job has it, so that its instance names the target also without the label job',
    series: 'busy cpu=0|1; size',
  },
  {
    after: [{ record: 'instance:busy:sum', expr: 'sum by (instance) (busy{job="app"})' }],
    expr: 'instance:busy:sum / on (instance) size{job="db"} > 1',
    safe: false,
    help: ['instance'],
    why: 'the db of the same name may be on another shard',
    series: 'busy cpu=0|1; size',
  },
  {
    after: [
      { record: 'a:busy', expr: 'sum by (instance) (busy{job="app"})', labels: { kind: 'a' } },
      { record: 'a:busy', expr: 'sum by (instance) (busy{job="db"})', labels: { kind: 'b' } },
    ],
    expr: 'sum by (instance) (a:busy) > 3',
    safe: false,
    help: ['instance'],
    why: 'two rules record it, of two jobs',
    series: 'busy cpu=0|1',
  },
  {
    after: [{ record: 'owner', expr: 'vector(1)', labels: { team: 'a', namespace: 'red' } }],
    expr: '(up == 0) * on (namespace) group_left (team) owner',
    safe: true,
    why: 'every shard records the owners',
    series: 'up',
  },
  {
    after: [{ alert: 'Down', expr: 'up == 0', labels: { severity: 'page' } }],
    expr: 'ALERTS{alertname!="Tested", alertstate="firing", severity="page"}',
    safe: true,
    why: 'alerts of targets, where the targets are',
    series: 'up',
  },
  {
    after: [
      { alert: 'Down', expr: 'up == 0' },
      { alert: 'Full', expr: 'level > 1' },
    ],
    expr: 'ALERTS{alertname="Down"} unless on (namespace) ALERTS{alertname="Full"}',
    safe: false,
    help: ['namespace'],
    why: 'the alert that takes it away may be on another shard',
    series: 'up; level',
  },
  // Jobs that every shard scrapes.
  {
    expr: 'members{job="db"} < on () group_left () count(up{job="db"})',
    everywhere: ['db'],
    safe: true,
    why: 'every shard has the whole job',
    series: 'members; up',
  },
  {
    expr: 'absent(up{job="db", instance="h1"})',
    everywhere: ['db'],
    safe: true,
    why: 'every shard has the whole job',
    series: 'up',
  },
  { expr: 'sum(level{job="app"})', everywhere: ['db'], safe: false, why: ALL, series: 'level' },
  {
    expr: 'sum by (namespace) (level)',
    by: ['namespace'],
    everywhere: ['db'],
    safe: false,
    why: 'a namespace has targets on one shard, and others on all',
    series: 'level',
  },
  {
    expr: 'sum by (job, namespace) (level)',
    by: ['namespace'],
    everywhere: ['db'],
    safe: true,
    why: 'of each job, a namespace is on one shard, or on all',
    series: 'level',
  },
  {
    expr: 'sum by (job, namespace) (level)',
    everywhere: ['db'],
    safe: false,
    help: ['job', 'namespace'],
    why: ALL,
    series: 'level',
  },
  {
    expr: 'sum by (namespace) (level{job="app"})',
    by: ['namespace'],
    everywhere: ['db'],
    safe: true,
    why: 'of the job that is spread',
    series: 'level',
  },
  { expr: 'sum by (job, instance) (level)', everywhere: ['db'], safe: true, why: PER_TARGET, series: 'level slot=a|b' },
]
