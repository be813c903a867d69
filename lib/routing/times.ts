/** Alertmanager's time intervals. Source: its `timeinterval/timeinterval.go`. */

export interface NamedIntervals {
  readonly name: string
  readonly time_intervals?: readonly TimeInterval[]
}
export interface TimeInterval {
  readonly times?: readonly { readonly start_time: string | number; readonly end_time: string | number }[]
  readonly weekdays?: readonly (string | number)[]
  readonly days_of_month?: readonly (string | number)[]
  readonly months?: readonly (string | number)[]
  readonly years?: readonly (string | number)[]
  readonly location?: string
}

/** Whether a time is in one of these intervals. */
export const inIntervals = (intervals: readonly TimeInterval[], at: Date): boolean =>
  intervals.some((one) => inInterval(one, at))

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const MONTHS = 'january february march april may june july august september october november december'.split(' ')

const inInterval = (interval: TimeInterval, at: Date): boolean => {
  const { times, weekdays, days_of_month: days, months, years, location } = interval
  const now = clock(at, location ?? 'UTC')
  const minute = now.hour * 60 + now.minute
  const last = new Date(Date.UTC(now.year, now.month, 0)).getUTCDate()
  return (
    (!times || times.some(({ start_time: from, end_time: to }) => minute >= minutes(from) && minute < minutes(to))) &&
    (!weekdays || weekdays.some((one) => within(one, now.weekday, (word) => DAYS.indexOf(word)))) &&
    (!days || days.some((one) => withinMonth(one, now.day, last))) &&
    (!months || months.some((one) => within(one, now.month, (word) => MONTHS.indexOf(word) + 1))) &&
    (!years || years.some((one) => within(one, now.year, () => Number.NaN)))
  )
}

const clock = (at: Date, timeZone: string) => {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: timeZone === 'Local' ? 'UTC' : timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    weekday: 'long',
  }).formatToParts(at)
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? ''
  return {
    year: Number(part('year')),
    month: Number(part('month')),
    day: Number(part('day')),
    hour: Number(part('hour')),
    minute: Number(part('minute')),
    weekday: DAYS.indexOf(part('weekday').toLowerCase()),
  }
}

/** `17:00`, which YAML 1.1 may have read as minutes already (17 × 60). */
const minutes = (time: string | number): number => {
  if (typeof time === 'number') return time
  const [hour = 0, minute = 0] = time.split(':').map(Number)
  return hour * 60 + minute
}

const within = (range: string | number, value: number, numberOf: (word: string) => number): boolean => {
  const [from = Number.NaN, to = from] = String(range)
    .toLowerCase()
    .split(':')
    .map((word) => (/^-?\d+$/.test(word) ? Number(word) : numberOf(word)))
  return value >= from && value <= to
}

/** Days count from the month's end where they are negative; those that the month doesn't have are cut off. */
const withinMonth = (range: string | number, day: number, last: number): boolean => {
  const [from = Number.NaN, to = from] = String(range)
    .split(':')
    .map(Number)
    .map((one) => (one < 0 ? last + one + 1 : one))
  if (from > last) return false
  return day >= Math.max(from, 1) && day <= Math.min(to, last)
}
