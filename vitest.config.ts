import { defineConfig } from 'vitest/config'

/** Tests that need a lab's network: they run one file after another, as they share its hosts. */
const inLab = { globalSetup: ['test/e2e/lab-setup.ts'], fileParallelism: false, sequence: { concurrent: false } }

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 30_000, hookTimeout: 180_000 } },
      {
        test: {
          name: 'browser',
          include: ['test/browser/*.browser.ts'],
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'operate',
          include: ['test/e2e/operate/*.operate.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'hostile',
          include: ['test/e2e/hostile/*.hostile.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          testTimeout: 3_600_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'install',
          include: ['test/e2e/install/*.install.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 900_000,
        },
      },
      { test: { ...inLab, name: 'kill', include: ['test/e2e/kill/*.kill.ts'], testTimeout: 1_800_000 } },
      {
        test: {
          ...inLab,
          name: 'cortex',
          include: ['test/e2e/cortex/*.cortex.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'shards',
          include: ['test/e2e/shards/*.shards.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'drill',
          include: ['test/e2e/drill/*.drill.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'drills',
          include: ['test/e2e/drills/*.drills.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          testTimeout: 3_600_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'exporters',
          include: ['test/e2e/exporters/*.exporters.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'trust',
          include: ['test/e2e/trust/*.trust.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'adopt',
          include: ['test/e2e/adopt/*.adopt.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'soak',
          include: ['test/e2e/soak/*.soak.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          testTimeout: 26 * 3_600_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'ssh',
          include: ['test/e2e/ssh/*.ssh.ts', 'test/e2e/connection/*.test.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          // What is tested of a connection is tested of OpenSSH's too.
          env: { VESTAL_TEST_SSH: 'ssh' },
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...inLab,
          name: 'machines',
          include: ['test/e2e/machines/*.machines.ts'],
          setupFiles: ['test/e2e/clean-hosts.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
      { test: { ...inLab, name: 'route', include: ['test/e2e/route/*.route.ts'], testTimeout: 1_800_000 } },
    ],
  },
})
