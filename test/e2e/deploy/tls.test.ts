/** Web ports with TLS: turned on in a fleet that serves without. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { onHost, vestal } from '../vestal.ts'
import { deploy, SPARE } from './fleet.ts'
import { allOn } from './inventories.ts'

const FOLDER = '/etc/vestal-test-tls'
const makeCertificate = `mkdir -p ${FOLDER} && cd ${FOLDER}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=monitoring \\
  -addext subjectAltName=DNS:monitoring.example -keyout key.pem -out cert.pem 2>&1 && chmod 0644 key.pem`

const inventoryWith = (tls: boolean): string => {
  const web = {
    web_config: tls
      ? { tls_server_config: { cert_file: `${FOLDER}/cert.pem`, key_file: `${FOLDER}/key.pem` } }
      : { http_server_config: { http2: true } },
    web_client_tls: { ca_file: `${FOLDER}/cert.pem`, server_name: 'monitoring.example' },
  }
  const pace = { scrape_interval: '1s', evaluation_interval: '1s', resend_delay: '1s' }
  return allOn('spare', {
    address: SPARE,
    vars: {
      node_exporter: { version: '1.11.1', ...web },
      prometheus: { version: '3.5.3', ...pace, ...web },
      rules: { self_monitoring: false },
      alertmanager: {
        version: '0.33.1',
        config: { route: { receiver: 'none' }, receivers: [{ name: 'none' }] },
        ...web,
      },
    },
  })
}

describe('TLS on the web ports', () => {
  const [plain, encrypted] = [inventoryWith(false), inventoryWith(true)]

  beforeAll(async () => {
    await onHost(SPARE, makeCertificate)
    await deploy('-i', plain)
  })
  afterAll(() => onHost(SPARE, `systemctl stop prometheus alertmanager node_exporter; rm -rf ${FOLDER}`))

  test('can be turned on in a fleet that serves without it', async () => {
    await deploy('-i', encrypted)
    expect(await vestal(['plan', '-i', encrypted, '--exit-code'])).toMatchObject({ code: 0 })
    expect(await vestal(['status', '-i', encrypted])).toMatchObject({ code: 0 })
    await expect(fetch(`http://${SPARE}:9093/-/ready`, soon()).then(({ status }) => status)).resolves.toBe(400)
  })

  test('is what Prometheus speaks to its targets and Alertmanagers, trusting their certificate', async () => {
    const up = `promtool query instant --http.config.file=${FOLDER}/client.yml https://127.0.0.1:9090`
    await onHost(SPARE, `printf 'tls_config: {insecure_skip_verify: true}\\n' >${FOLDER}/client.yml`)
    const queried = async () => (await onHost(SPARE, `${up} 'sum(up)'`)).trim()
    await expect.poll(queried, { timeout: 30_000 }).toMatch(/=> 3 /)
    const alerts = () =>
      onHost(SPARE, `amtool --http.config.file=${FOLDER}/client.yml --alertmanager.url=https://127.0.0.1:9093 alert`)
    await expect.poll(alerts, { timeout: 30_000 }).toContain('Watchdog')
  })
})

const soon = (): RequestInit => ({ signal: AbortSignal.timeout(10_000) })
