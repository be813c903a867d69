import type { Scenario } from '../../lib/drill/scenario.ts'
import badConfig from './bad-config.ts'
import crashLoop from './crash-loop.ts'
import cutAllButOne from './cut-all-but-one.ts'
import cutOneAlertmanager from './cut-one-alertmanager.ts'
import diskFullAlertmanager from './disk-full-alertmanager.ts'
import diskFullPrometheus from './disk-full-prometheus.ts'
import freezeAlertmanager from './freeze-alertmanager.ts'
import freezeLong from './freeze-long.ts'
import freezePrometheus from './freeze-prometheus.ts'
import gatewayLost from './gateway-lost.ts'
import killAlertmanager from './kill-alertmanager.ts'
import killBoth from './kill-both.ts'
import killPrometheus from './kill-prometheus.ts'
import lossyGossip from './lossy-gossip.ts'
import partition from './partition.ts'
import partitionUdp from './partition-udp.ts'
import powerLoss from './power-loss.ts'
import queryLost from './query-lost.ts'
import receiverFails from './receiver-fails.ts'
import receiverSlow from './receiver-slow.ts'
import restartAlertmanagers from './restart-alertmanagers.ts'
import ringMemberLost from './ring-member-lost.ts'
import ringTwoLost from './ring-two-lost.ts'
import roll from './roll.ts'
import rollDuringFault from './roll-during-fault.ts'
import scaleAlertmanagers from './scale-alertmanagers.ts'
import scalePrometheus from './scale-prometheus.ts'
import shardLost from './shard-lost.ts'
import stopPrometheus from './stop-prometheus.ts'
import walReplay from './wal-replay.ts'

/** Every scenario that comes with Vestal, in the order in which `vestal drill --all` holds them. */
export const scenarios: readonly Scenario[] = [
  killPrometheus,
  stopPrometheus,
  freezePrometheus,
  killAlertmanager,
  freezeAlertmanager,
  freezeLong,
  crashLoop,
  killBoth,
  partition,
  partitionUdp,
  lossyGossip,
  cutOneAlertmanager,
  cutAllButOne,
  receiverFails,
  receiverSlow,
  badConfig,
  diskFullAlertmanager,
  diskFullPrometheus,
  restartAlertmanagers,
  rollDuringFault,
  walReplay,
  scaleAlertmanagers,
  scalePrometheus,
  roll,
  shardLost,
  queryLost,
  gatewayLost,
  ringMemberLost,
  ringTwoLost,
  powerLoss,
]
