import type { Exporter } from '../../lib/program/exporter.ts'
import { apache } from './catalogue/apache.ts'
import { bind } from './catalogue/bind.ts'
import { blackbox } from './catalogue/blackbox.ts'
import { consul } from './catalogue/consul.ts'
import { elasticsearch } from './catalogue/elasticsearch.ts'
import { graphite } from './catalogue/graphite.ts'
import { haproxy } from './catalogue/haproxy.ts'
import { ipmi } from './catalogue/ipmi.ts'
import { json } from './catalogue/json.ts'
import { kafka } from './catalogue/kafka.ts'
import { memcached } from './catalogue/memcached.ts'
import { mongodb } from './catalogue/mongodb.ts'
import { mysqld } from './catalogue/mysqld.ts'
import { nginx } from './catalogue/nginx.ts'
import { pgbouncer } from './catalogue/pgbouncer.ts'
import { postgres } from './catalogue/postgres.ts'
import { processes } from './catalogue/process.ts'
import { pushgateway } from './catalogue/pushgateway.ts'
import { rabbitmq } from './catalogue/rabbitmq.ts'
import { redis } from './catalogue/redis.ts'
import { smartctl } from './catalogue/smartctl.ts'
import { snmp } from './catalogue/snmp.ts'
import { ssl } from './catalogue/ssl.ts'
import { statsd } from './catalogue/statsd.ts'
import { systemd } from './catalogue/systemd.ts'

/** The exporters that come with Vestal. The order is that of files that are made of all of them: a new one comes last. */
export const catalogue: readonly Exporter[] = [
  apache,
  bind,
  blackbox,
  consul,
  elasticsearch,
  graphite,
  haproxy,
  ipmi,
  json,
  kafka,
  memcached,
  mongodb,
  mysqld,
  nginx,
  pgbouncer,
  postgres,
  processes,
  pushgateway,
  rabbitmq,
  redis,
  smartctl,
  snmp,
  ssl,
  statsd,
  systemd,
]
