import { word } from '../shell.ts'
import type { WatchedAlertmanager } from './fleet.ts'

/** The token of a host's Alertmanager, from a file that only it can read there. */
export const tokenIn =
  (file: string): WatchedAlertmanager['token'] =>
  async (connection) => {
    const { stdout } = await connection.exec(`head -c 200 ${word(file)} 2>/dev/null || :`, { within: '30s' })
    return /^[0-9a-f]{32,100}$/.exec(stdout.toString().trim())?.[0] ?? null
  }
