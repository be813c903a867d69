import { killedAndSlow, later, moreSeries } from '../../lib/drill/fault.ts'
import { drill, numberSetting, some } from '../../lib/drill/scenario.ts'
import { replays } from '../../lib/gates/drilled.ts'

export default drill({
  name: 'wal-replay',
  summary: 'One Prometheus is killed, and takes long to read its write-ahead log before it serves again',
  contract: 'While it reads it evaluates nothing; its replica goes on.',
  lasts: '90s',
  settings: {
    percent: { about: 'how much of a processor it has meanwhile, in percent', default: '2' },
    series: { about: 'series that a machine shows more for 30 s before, so that there is more to read', default: '0' },
  },
  faults: (fleet) => {
    const [one] = some(fleet.prometheus, 2, 'Prometheus')
    const series = numberSetting(fleet, 'series')
    const [machine] = some(fleet.textfiles, series > 0 ? 1 : 0, 'machine with node_exporter').slice(-1)
    if (!one) return []
    const percent = Math.min(100, Math.max(1, numberSetting(fleet, 'percent')))
    const slow = killedAndSlow(one.host, { unit: one.unit, title: 'Prometheus', percent })
    return machine && series > 0 ? [moreSeries(machine, series), later(slow, 30)] : [slow]
  },
  meanwhile: ({ prometheus }) =>
    some(prometheus, 2, 'Prometheus')
      .slice(0, 1)
      .map(({ endpoint }) => replays(endpoint)),
  allowed: { duplicates: 'never', delay: '10s', healed: '5m' },
})
