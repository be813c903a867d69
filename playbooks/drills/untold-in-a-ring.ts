/** A connection of gRPC that failed is tried again after 1 s, and each time after 1.6 times as long, a fifth more or less, up to two minutes (its `doc/connection-backoff.md`). */
const [FIRST_MS, FACTOR, JITTER, MOST_MS] = [1_000, 1.6, 1.2, 120_000]

/**
 * For how long an instance of a ring that was away for so long may not be told yet what the others notify. Each part of the notification log is sent once, when it is
 * new (Cortex v1.21.1, `pkg/alertmanager/state_replication.go`, `running`), on the connection that has been failing while the instance was away: it is tried
 * again at growing distances that no setting changes (`pkg/util/grpcclient/grpcclient.go`, `DialOption`), and the pool that would make a new one is never started
 * (`pkg/alertmanager/alertmanager_client.go`). An instance reads all that is known at its start, and what it missed since then never.
 */
export const untoldInARing = (awayMs: number): number => {
  // The last wait that may have begun while it was away: those before it, each a fifth shorter, are no longer than that together.
  let [wait, waited] = [FIRST_MS, 0]
  while (waited + wait * (2 - JITTER) <= awayMs && wait < MOST_MS) {
    waited += wait * (2 - JITTER)
    wait = Math.min(wait * FACTOR, MOST_MS)
  }
  return Math.min(wait, MOST_MS) * JITTER
}
