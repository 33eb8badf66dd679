// The rules the container set-up must keep. No engine is needed to read them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { ConfigSchema } from '../../src/config-keys.ts';

interface Service {
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
  readonly secrets?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly healthcheck: unknown;
  readonly mem_limit: string;
  readonly pids_limit: number;
}

const text = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
const { services } = parse(text, { merge: true }) as {
  services: Readonly<Record<'ingress' | 'worker' | 'inner', Service>>;
};

describe('docker-compose.yml', () => {
  it('puts no service into two zones; the worker has no network at all', () => {
    assert.deepEqual(services.ingress.networks, ['outer']);
    assert.deepEqual(services.inner.networks, ['inner']);
    assert.equal(services.worker.network_mode, 'none');
    assert.equal(services.worker.networks, undefined);
    for (const service of [services.worker, services.inner]) assert.equal(service.ports, undefined);
  });

  it('keeps raw bytes and the signing key from the inner side, and the outbox from the doors', () => {
    assert.deepEqual(services.inner.volumes, [
      'outbox:/data/outbox:ro',
      'requests:/data/requests',
      'inner-records:/data/inner',
      'portal:/data/portal',
      'inner-journal:/data/journal',
    ]);
    assert.deepEqual(services.inner.secrets, ['verify-key', 'sealing-key']);
    assert.deepEqual(services.ingress.volumes, ['raw:/data/spool', 'outer-journal:/data/journal']);
    assert.equal(services.ingress.secrets, undefined);
    assert.deepEqual(services.worker.secrets, ['signing-key', 'request-key']);
  });

  it('hardens every service', () => {
    for (const [name, service] of Object.entries(services)) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      const own = name === 'worker' ? ['seccomp:unconfined', 'apparmor:unconfined'] : [];
      assert.deepEqual(service.security_opt, ['no-new-privileges:true', ...own], name);
      assert.ok(service.healthcheck !== undefined && service.mem_limit !== '' && service.pids_limit > 0, name);
    }
  });

  it('does not let the worker run without the full jail, which the image brings', () => {
    assert.equal(services.worker.environment['MUGAI_JAIL'], 'require');
    const image = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');
    assert.match(image, /^RUN apt-get update && apt-get install .*\bbubblewrap\b/m);
  });

  it('sets only keys that exist', () => {
    for (const service of Object.values(services)) {
      for (const key of Object.keys(service.environment)) assert.ok(key in ConfigSchema.properties, key);
    }
  });
});
