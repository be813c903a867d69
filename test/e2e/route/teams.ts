/** An inventory of two Prometheus and three Alertmanagers with many teams, in the tests' lab. */
import { haWith, writeFiles } from '../deploy/inventories.ts'

export const TEAMS = 60
/** A namespace that no team owns. */
export const ORPHAN = 'orphan'

export const teamName = (at: number): string => `team-${at}`
export const namespaceOf = (at: number): string => `ns-${at}`

/** Teams that own a namespace each; `owners` says otherwise for some. */
export const teamsOf = (
  count: number,
  owners: Readonly<Record<string, readonly string[]>> = {},
): Readonly<Record<string, unknown>> => ({
  ...Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      teamName(at),
      {
        owns: (owners[teamName(at)] ?? [namespaceOf(at)]).map((namespace) => ({ namespace })),
        receivers: { hook: { webhook_configs: [{ url: `http://10.88.0.1:9095/${teamName(at)}` }] } },
        cases: [{ alert: { namespace: namespaceOf(at) }, team: at === 0 ? teamName(0) : undefined }].slice(
          0,
          at === 0 ? 1 : 0,
        ),
      },
    ]),
  ),
  rest: { default: true, receivers: { hook: { webhook_configs: [{ url: 'http://10.88.0.1:9095/rest' }] } } },
})

/** inventory/ha with 60 teams, and a scraped target in each one's namespace, over which one rule fires. Returns its folder. */
export const manyTeams = (): string => {
  const folder = haWith({
    all: { rules: { folders: ['rules'], self_monitoring: false, watchdog: false } },
    prometheus: {
      prometheus: {
        scrape_interval: '10s',
        evaluation_interval: '10s',
        scrape_configs: [
          {
            job_name: 'apps',
            // Sixty scrapes of everything would keep the lab busy.
            params: { 'collect[]': ['textfile'] },
            metric_relabel_configs: [{ action: 'keep', source_labels: ['__name__'], regex: 'vestal_drill' }],
            static_configs: [...Array.from({ length: TEAMS }, (_, at) => namespaceOf(at)), ORPHAN].map(
              (namespace, at) => ({
                targets: [`10.88.0.${11 + (at % 5)}:9100`],
                labels: { namespace },
              }),
            ),
          },
        ],
      },
      rules: { folders: ['rules'], self_monitoring: false, watchdog: false },
    },
    alertmanager: {
      alertmanager: {
        config: { route: { group_by: ['alertname', 'namespace'] } },
      },
    },
  })
  writeFiles(folder, {
    'hosts.yml': {
      all: {
        children: {
          prometheus: { hosts: { 'prom-1': { ansible_host: '10.88.0.11' }, 'prom-2': { ansible_host: '10.88.0.12' } } },
          alertmanager: {
            hosts: {
              'am-1': { ansible_host: '10.88.0.13' },
              'am-2': { ansible_host: '10.88.0.14' },
              'am-3': { ansible_host: '10.88.0.15' },
            },
          },
          node_exporter: { children: { prometheus: null, alertmanager: null } },
        },
      },
    },
    'rules/drill.yml': {
      groups: [
        {
          name: 'drill',
          rules: [{ alert: 'Drill', expr: 'vestal_drill{namespace!=""} == 1', labels: { severity: 'critical' } }],
        },
      ],
    },
    'teams/all.yml': teamsOf(TEAMS),
  })
  return folder
}
