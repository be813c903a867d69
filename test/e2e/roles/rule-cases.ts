/** For each shipped alert: series over which it fires at a time, and series over which it does not. */

export interface RuleCase {
  readonly alert: string
  /** When it is looked at. */
  readonly at: string
  readonly fires: Readonly<Record<string, string>>
  readonly quiet: Readonly<Record<string, string>>
}

const up = 'up{job="web", instance="a:80"}'
const prom = 'job="prometheus", instance="p:9090"'
const am = 'job="alertmanager", instance="m:9093"'
const node = 'job="node", instance="n:9100"'
const leaf = `${node}, host="am-1", role="alertmanager", port="9093"`
const disk = `${node}, mountpoint="/", fstype="ext4", device="sda"`
const http = 'namespace="shop", service="cart", job="web"'
const [SECOND_DAY, WEEK] = [86_400, 7 * 86_400]

export const RULE_CASES: readonly RuleCase[] = [
  { alert: 'Watchdog', at: '1m', fires: { [up]: '1x10' }, quiet: {} },
  { alert: 'TargetDown', at: '20m', fires: { [up]: '0x60' }, quiet: { [up]: '1x60' } },
  {
    alert: 'ScrapeUnreliable',
    at: '1h',
    fires: {
      [up]: '1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1 0 1 1',
    },
    quiet: { [up]: '1x60' },
  },
  {
    alert: 'MemoryFillsUp',
    at: '3h',
    fires: {
      [`node_memory_MemAvailable_bytes{${node}}`]: '1000-5x200',
      [`node_memory_MemTotal_bytes{${node}}`]: '4000x200',
    },
    quiet: {
      [`node_memory_MemAvailable_bytes{${node}}`]: '1000x200',
      [`node_memory_MemTotal_bytes{${node}}`]: '4000x200',
    },
  },
  {
    alert: 'RestartLoop',
    at: '30m',
    fires: { 'process_start_time_seconds{job="web", instance="a:80"}': '0+60x40' },
    quiet: { 'process_start_time_seconds{job="web", instance="a:80"}': '5x40' },
  },
  {
    alert: 'CertificateExpires',
    at: '2h',
    fires: { 'probe_ssl_earliest_cert_expiry{job="probe", instance="a"}': `${2 * WEEK}x200` },
    quiet: { 'probe_ssl_earliest_cert_expiry{job="probe", instance="a"}': `${8 * WEEK}x200` },
  },
  {
    alert: 'FleetCertificateNotRenewed',
    at: '4h',
    fires: {
      [`vestal_certificate_renewal_timestamp_seconds{${leaf}}`]: '0x300',
      [`vestal_certificate_expiry_timestamp_seconds{${leaf}}`]: '14400x300',
    },
    quiet: {
      [`vestal_certificate_renewal_timestamp_seconds{${leaf}}`]: '0x300',
      [`vestal_certificate_expiry_timestamp_seconds{${leaf}}`]: `${SECOND_DAY}x300`,
    },
  },
  {
    alert: 'FleetCertificateRefused',
    at: '30m',
    fires: { [`vestal_certificate_trusted{${leaf}}`]: '0x60' },
    quiet: { [`vestal_certificate_trusted{${leaf}}`]: '1x60' },
  },
  {
    alert: 'FleetAuthorityEnds',
    at: '2h',
    fires: { [`vestal_certificate_authority_expiry_timestamp_seconds{${node}, subject="s"}`]: `${2 * WEEK}x200` },
    quiet: { [`vestal_certificate_authority_expiry_timestamp_seconds{${node}, subject="s"}`]: `${20 * WEEK}x200` },
  },
  {
    alert: 'FleetCertificatesNotLookedAt',
    at: '50h',
    fires: { [`vestal_certificates_checked_timestamp_seconds{${node}, inventory="ha"}`]: '0x4000' },
    quiet: { [`vestal_certificates_checked_timestamp_seconds{${node}, inventory="ha"}`]: '36000x4000' },
  },
  {
    alert: 'CertificateAboutToExpire',
    at: '30m',
    fires: { 'probe_ssl_earliest_cert_expiry{job="probe", instance="a"}': `${SECOND_DAY}x60` },
    quiet: { 'probe_ssl_earliest_cert_expiry{job="probe", instance="a"}': `${2 * WEEK}x60` },
  },
  {
    alert: 'ErrorRatioHigh',
    at: '2h',
    fires: {
      [`http_requests_total{${http}, code="500"}`]: '0+30x200',
      [`http_requests_total{${http}, code="200"}`]: '0+70x200',
    },
    quiet: {
      [`http_requests_total{${http}, code="500"}`]: '0+5x200',
      [`http_requests_total{${http}, code="200"}`]: '0+95x200',
    },
  },
  {
    alert: 'ErrorRatioRaised',
    at: '3h',
    fires: {
      [`http_requests_total{${http}, code="500"}`]: '0+5x200',
      [`http_requests_total{${http}, code="200"}`]: '0+95x200',
    },
    quiet: {
      [`http_requests_total{${http}, code="500"}`]: '0+5x200',
      [`http_requests_total{${http}, code="200"}`]: '0+95x200',
      [`errors_objective_ratio{${http}}`]: '0.1x200',
    },
  },
  {
    alert: 'LatencyHigh',
    at: '1h',
    fires: {
      [`http_request_duration_seconds_bucket{${http}, le="1"}`]: '0+50x100',
      [`http_request_duration_seconds_bucket{${http}, le="10"}`]: '0+100x100',
      [`http_request_duration_seconds_bucket{${http}, le="+Inf"}`]: '0+100x100',
    },
    quiet: {
      [`http_request_duration_seconds_bucket{${http}, le="1"}`]: '0+100x100',
      [`http_request_duration_seconds_bucket{${http}, le="+Inf"}`]: '0+100x100',
    },
  },
  {
    alert: 'DiskFillsUp',
    at: '8h',
    fires: {
      [`node_filesystem_avail_bytes{${disk}}`]: '25000-20x600',
      [`node_filesystem_size_bytes{${disk}}`]: '100000x600',
      [`node_filesystem_readonly{${disk}}`]: '0x600',
    },
    quiet: {
      [`node_filesystem_avail_bytes{${disk}}`]: '25000x600',
      [`node_filesystem_size_bytes{${disk}}`]: '100000x600',
      [`node_filesystem_readonly{${disk}}`]: '0x600',
    },
  },
  {
    alert: 'DiskAlmostFull',
    at: '1h',
    fires: {
      [`node_filesystem_avail_bytes{${disk}}`]: '1x100',
      [`node_filesystem_size_bytes{${disk}}`]: '100x100',
      [`node_filesystem_readonly{${disk}}`]: '0x100',
    },
    quiet: {
      [`node_filesystem_avail_bytes{${disk}}`]: '50x100',
      [`node_filesystem_size_bytes{${disk}}`]: '100x100',
      [`node_filesystem_readonly{${disk}}`]: '0x100',
    },
  },
  {
    alert: 'MemoryAlmostFull',
    at: '1h',
    fires: { [`node_memory_MemAvailable_bytes{${node}}`]: '1x100', [`node_memory_MemTotal_bytes{${node}}`]: '100x100' },
    quiet: {
      [`node_memory_MemAvailable_bytes{${node}}`]: '50x100',
      [`node_memory_MemTotal_bytes{${node}}`]: '100x100',
    },
  },
  {
    alert: 'ClockNotSynchronised',
    at: '1h',
    fires: { [`node_timex_sync_status{${node}}`]: '0x100', [`node_timex_maxerror_seconds{${node}}`]: '16x100' },
    quiet: { [`node_timex_sync_status{${node}}`]: '1x100', [`node_timex_maxerror_seconds{${node}}`]: '0x100' },
  },
  {
    alert: 'ServiceFailed',
    at: '30m',
    fires: { [`node_systemd_unit_state{${node}, name="x.service", state="failed"}`]: '1x60' },
    quiet: { [`node_systemd_unit_state{${node}, name="x.service", state="failed"}`]: '0x60' },
  },
  {
    alert: 'ScheduledDrillFailed',
    at: '10m',
    fires: { [`vestal_drill_schedule_exit_code{${node}, schedule="weekly"}`]: '1x30' },
    quiet: { [`vestal_drill_schedule_exit_code{${node}, schedule="weekly"}`]: '0x30' },
  },
  {
    alert: 'TextfileNotRead',
    at: '30m',
    fires: { [`node_textfile_scrape_error{${node}}`]: '1x60' },
    quiet: { [`node_textfile_scrape_error{${node}}`]: '0x60' },
  },
  {
    alert: 'PrometheusReplicaMissing',
    at: '10m',
    fires: { [`up{${prom}}`]: '0x30' },
    quiet: { [`up{${prom}}`]: '1x30' },
  },
  {
    alert: 'PrometheusConfigRefused',
    at: '30m',
    fires: { [`prometheus_config_last_reload_successful{${prom}}`]: '0x60' },
    quiet: { [`prometheus_config_last_reload_successful{${prom}}`]: '1x60' },
  },
  {
    alert: 'PrometheusRuleFailures',
    at: '30m',
    fires: { [`prometheus_rule_evaluation_failures_total{${prom}, rule_group="g"}`]: '0+1x60' },
    quiet: { [`prometheus_rule_evaluation_failures_total{${prom}, rule_group="g"}`]: '5x60' },
  },
  {
    alert: 'PrometheusMissesEvaluations',
    at: '40m',
    fires: { [`prometheus_rule_group_iterations_missed_total{${prom}, rule_group="g"}`]: '0+1x60' },
    quiet: { [`prometheus_rule_group_iterations_missed_total{${prom}, rule_group="g"}`]: '5x60' },
  },
  {
    alert: 'PrometheusSendsToNoAlertmanager',
    at: '30m',
    fires: { [`prometheus_notifications_alertmanagers_discovered{${prom}}`]: '0x60' },
    quiet: { [`prometheus_notifications_alertmanagers_discovered{${prom}}`]: '3x60' },
  },
  {
    alert: 'PrometheusFailsToSendAlerts',
    at: '40m',
    fires: {
      [`prometheus_notifications_errors_total{${prom}, alertmanager="m"}`]: '0+5x60',
      [`prometheus_notifications_sent_total{${prom}, alertmanager="m"}`]: '0+10x60',
    },
    quiet: {
      [`prometheus_notifications_errors_total{${prom}, alertmanager="m"}`]: '0x60',
      [`prometheus_notifications_sent_total{${prom}, alertmanager="m"}`]: '0+10x60',
    },
  },
  {
    alert: 'AlertPathBroken',
    at: '40m',
    fires: {
      [`prometheus_notifications_errors_total{${prom}, alertmanager="m"}`]: '0+10x60',
      [`prometheus_notifications_sent_total{${prom}, alertmanager="m"}`]: '0+10x60',
    },
    quiet: {
      [`prometheus_notifications_errors_total{${prom}, alertmanager="m"}`]: '0+9x60',
      [`prometheus_notifications_sent_total{${prom}, alertmanager="m"}`]: '0+10x60',
    },
  },
  {
    alert: 'AlertPathMissing',
    at: '40m',
    fires: {
      [`prometheus_notifications_alertmanagers_discovered{${prom}}`]: '2x60',
      [`up{${am}}`]: '1x60',
      'up{job="alertmanager", instance="n:9093"}': '1x60',
      'up{job="alertmanager", instance="o:9093"}': '0x60',
    },
    quiet: {
      [`prometheus_notifications_alertmanagers_discovered{${prom}}`]: '3x60',
      [`up{${am}}`]: '1x60',
      'up{job="alertmanager", instance="n:9093"}': '1x60',
      'up{job="alertmanager", instance="o:9093"}': '0x60',
    },
  },
  { alert: 'VestalPath', at: '5m', fires: {}, quiet: {} },
  {
    alert: 'AlertPathSilent',
    at: '1h',
    fires: {
      [`alertmanager_notifications_total{${am}, integration="webhook"}`]: '0+1x90',
      [`alertmanager_notifications_failed_total{${am}, integration="webhook", reason="other"}`]: '0+1x90',
    },
    quiet: {
      [`alertmanager_notifications_total{${am}, integration="webhook"}`]: '0+1x90',
      [`alertmanager_notifications_failed_total{${am}, integration="webhook", reason="other"}`]: '0x90',
    },
  },
  {
    alert: 'PrometheusDropsAlerts',
    at: '30m',
    fires: { [`prometheus_notifications_dropped_total{${prom}}`]: '0+1x60' },
    quiet: { [`prometheus_notifications_dropped_total{${prom}}`]: '7x60' },
  },
  {
    alert: 'PrometheusStorageFails',
    at: '5h',
    fires: { [`prometheus_tsdb_compactions_failed_total{${prom}}`]: '0+1x400' },
    quiet: { [`prometheus_tsdb_compactions_failed_total{${prom}}`]: '3x400' },
  },
  {
    alert: 'PrometheusTakesNoSamples',
    at: '30m',
    fires: { [`prometheus_tsdb_head_samples_appended_total{${prom}, type="float"}`]: '9x60' },
    quiet: { [`prometheus_tsdb_head_samples_appended_total{${prom}, type="float"}`]: '0+9x60' },
  },
  {
    alert: 'PrometheusRemoteWriteBehind',
    at: '1h',
    fires: {
      [`prometheus_remote_storage_highest_timestamp_in_seconds{${prom}}`]: '1000+60x100',
      [`prometheus_remote_storage_queue_highest_sent_timestamp_seconds{${prom}, remote_name="far", url="u"}`]:
        '700+60x100',
    },
    quiet: {
      [`prometheus_remote_storage_highest_timestamp_in_seconds{${prom}}`]: '1000+60x100',
      [`prometheus_remote_storage_queue_highest_sent_timestamp_seconds{${prom}, remote_name="far", url="u"}`]:
        '999+60x100',
    },
  },
  {
    alert: 'PrometheusCrashLoops',
    at: '30m',
    fires: { [`process_start_time_seconds{${prom}}`]: '0+60x40' },
    quiet: { [`process_start_time_seconds{${prom}}`]: '5x40' },
  },
  { alert: 'AlertmanagerMissing', at: '10m', fires: { [`up{${am}}`]: '0x30' }, quiet: { [`up{${am}}`]: '1x30' } },
  {
    alert: 'AlertmanagerClusterSplit',
    at: '30m',
    fires: {
      [`up{${am}}`]: '1x60',
      'up{job="alertmanager", instance="o:9093"}': '1x60',
      [`alertmanager_cluster_members{${am}}`]: '1x60',
    },
    quiet: {
      [`up{${am}}`]: '1x60',
      'up{job="alertmanager", instance="o:9093"}': '1x60',
      [`alertmanager_cluster_members{${am}}`]: '2x60',
    },
  },
  {
    alert: 'AlertmanagerConfigRefused',
    at: '30m',
    fires: { [`alertmanager_config_last_reload_successful{${am}}`]: '0x60' },
    quiet: { [`alertmanager_config_last_reload_successful{${am}}`]: '1x60' },
  },
  {
    alert: 'AlertmanagerConfigsDiffer',
    at: '40m',
    fires: {
      [`alertmanager_config_hash{${am}}`]: '1x60',
      'alertmanager_config_hash{job="alertmanager", instance="o:9093"}': '2x60',
    },
    quiet: {
      [`alertmanager_config_hash{${am}}`]: '1x60',
      'alertmanager_config_hash{job="alertmanager", instance="o:9093"}': '1x60',
    },
  },
  {
    alert: 'AlertmanagerFailsToNotify',
    at: '30m',
    fires: {
      [`alertmanager_notifications_failed_total{${am}, integration="webhook", reason="other"}`]: '0+5x60',
      [`alertmanager_notifications_total{${am}, integration="webhook"}`]: '0+10x60',
    },
    quiet: {
      [`alertmanager_notifications_failed_total{${am}, integration="webhook", reason="other"}`]: '0x60',
      [`alertmanager_notifications_total{${am}, integration="webhook"}`]: '0+10x60',
    },
  },
  {
    alert: 'AlertmanagerCrashLoops',
    at: '30m',
    fires: { [`process_start_time_seconds{${am}}`]: '0+60x40' },
    quiet: { [`process_start_time_seconds{${am}}`]: '5x40' },
  },
]
