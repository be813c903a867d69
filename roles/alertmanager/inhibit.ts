/** Which of the shipped rules' alerts say nothing new while another fires. */
export const SHIPPED_INHIBIT_RULES = [
  {
    source_matchers: ['alertname="TargetDown"'],
    target_matchers: ['alertname=~"ScrapeUnreliable|RestartLoop"'],
    equal: ['job', 'instance'],
  },
  {
    source_matchers: ['alertname="CertificateAboutToExpire"'],
    target_matchers: ['alertname="CertificateExpires"'],
    equal: ['job', 'instance'],
  },
  {
    source_matchers: ['alertname="ErrorRatioHigh"'],
    target_matchers: ['alertname=~"ErrorRatioRaised|LatencyHigh"'],
    equal: ['namespace', 'service', 'job'],
  },
  {
    source_matchers: ['alertname="DiskAlmostFull"'],
    target_matchers: ['alertname="DiskFillsUp"'],
    equal: ['job', 'instance', 'mountpoint'],
  },
  {
    source_matchers: ['alertname="MemoryAlmostFull"'],
    target_matchers: ['alertname="MemoryFillsUp"'],
    equal: ['job', 'instance'],
  },
] as const
