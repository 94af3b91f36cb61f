import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpTarget, TkError } from '../../../lib/base/index.ts';
import { createHostWorld } from '../../../lib/host/index.ts';
import { type TestPki, testPki } from '../../rig/pki.ts';

const world = createHostWorld();
let folder: string;
let pki: TestPki;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tk-world-'));
  pki = await testPki();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const soon = () => AbortSignal.timeout(5000);
const text = async (body: AsyncIterable<Uint8Array>) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no failure',
    (error: unknown) => (error instanceof TkError ? `${error.failure.code} ${error.failure.facts.reason ?? ''}`.trim() : String(error)),
  );

test('a sleep ends at its time, or at once when it is aborted', async () => {
  const started = world.clock.monotonicMs();
  await world.clock.sleep(20);
  expect(world.clock.monotonicMs() - started).toBeGreaterThanOrEqual(19);
  const stop = new AbortController();
  const sleeping = world.clock.sleep(60_000, stop.signal);
  stop.abort();
  await expect(sleeping).rejects.toMatchObject({ failure: { code: 'run/aborted' } });
  await expect(world.clock.sleep(1, stop.signal)).rejects.toMatchObject({ failure: { code: 'run/aborted' } });
  // Longer than one timer can count.
  const long = new AbortController();
  const month = world.clock.sleep(2_600_000_000, long.signal);
  long.abort();
  await expect(month).rejects.toMatchObject({ failure: { code: 'run/aborted' } });
});

test('deadlines fire in the order of their times, and not when they were taken back', async () => {
  const fired: string[] = [];
  const takeBack = world.clock.after?.(5, () => fired.push('taken back'));
  // Longer than one timer can count: it neither fires at once nor keeps the process when it is taken back.
  const month = world.clock.after?.(2_600_000_000, () => fired.push('a month'));
  takeBack?.();
  await new Promise<void>((resolve) => {
    world.clock.after?.(20, () => {
      fired.push('later');
      resolve();
    });
    world.clock.after?.(10, () => fired.push('sooner'));
  });
  month?.();
  expect(fired).toEqual(['sooner', 'later']);
});

test('private keys are of the kind that was asked for', async () => {
  const kinds = await Promise.all(
    (['ed25519', 'p256'] as const).map(async (kind) => {
      const der = (await world.random.privateKey(kind)).reveal();
      return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }).asymmetricKeyType;
    }),
  );
  expect(kinds).toEqual(['ed25519', 'ec']);
  expect(world.random.bytes(32).length).toBe(32);
  const fractions = Array.from({ length: 100 }, () => world.random.fraction());
  expect(fractions.every((value) => value >= 0 && value < 1)).toBe(true);
  expect(new Set(fractions).size).toBe(100);
});

test('a command gets its arguments as they are, its input, and only the environment that it is given', async () => {
  const script =
    'process.stdin.pipe(process.stdout); console.error(JSON.stringify([process.argv.slice(1), Object.keys(process.env).sort()])); process.exitCode = 3';
  process.env.TK_TEST_LEAK = 'must not be seen';
  const result = await world.exec.run([process.execPath, '-e', script, '--', '$(id)', 'a b', '; ls'], {
    stdin: 'hello',
    env: { KUBECONFIG: '/x' },
    timeoutMs: 5000,
  });
  delete process.env.TK_TEST_LEAK;
  const [args, env] = JSON.parse(result.stderr) as [string[], string[]];
  expect({ exitCode: result.exitCode, stdout: Buffer.from(result.stdout).toString(), args }).toEqual({
    exitCode: 3,
    stdout: 'hello',
    args: ['$(id)', 'a b', '; ls'],
  });
  expect(env.filter((name) => !['HOME', 'LANG', 'PATH', 'TERM', 'TMPDIR'].includes(name))).toEqual(['KUBECONFIG']);
});

test('a command that hangs is ended with everything that it started', async () => {
  const child = `const { spawn } = require('child_process'); spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }); setInterval(() => {}, 1000);`;
  // The result only comes when the grandchild, which shares the pipe, is gone too.
  expect(await codeOf(world.exec.run([process.execPath, '-e', child], { timeoutMs: 300 }))).toBe('host/command-timeout');
  const stop = new AbortController();
  const running = codeOf(world.exec.run([process.execPath, '-e', child], { timeoutMs: 60_000, signal: stop.signal }));
  stop.abort();
  expect(await running).toBe('run/aborted');
  expect(await codeOf(world.exec.run(['no-such-command-anywhere'], { timeoutMs: 1000 }))).toBe('host/command-not-found');
});

test('work runs off the main thread; a thread that traps or hangs is replaced', async () => {
  const file = async (name: string, source: string) => {
    await writeFile(join(folder, name), source);
    return pathToFileURL(join(folder, name)).href;
  };
  const add = await file('add.mjs', 'let calls = 0; export default ({ a, b }) => ({ sum: a + b, calls: ++calls });');
  const hang = await file('hang.mjs', 'export default () => { for (;;) {} };');
  const trap = await file('trap.mjs', "export default () => { throw new WebAssembly.RuntimeError('unreachable'); };");
  const refuse = await file(
    'refuse.mjs',
    "export default () => { throw Object.assign(new Error('x'), { failures: [{ code: 'chart/broken', facts: { line: 3 } }] }); };",
  );
  const run = (module: string, timeoutMs = 5000) =>
    world.compute.run<unknown, unknown>(module, { a: 1, b: 2 }, { signal: soon(), timeoutMs });
  expect(await run(add)).toEqual({ sum: 3, calls: 1 });
  expect(await run(add)).toEqual({ sum: 3, calls: 2 });
  await expect(run(refuse)).rejects.toMatchObject({ failures: [{ code: 'chart/broken', facts: { line: 3 } }] });
  expect(await run(add)).toEqual({ sum: 3, calls: 3 });
  expect(await codeOf(run(hang, 200))).toBe('host/compute timeout');
  expect(await run(add)).toEqual({ sum: 3, calls: 1 });
  expect(await codeOf(run(trap))).toBe('host/compute trap');
  expect(await run(add)).toEqual({ sum: 3, calls: 1 });
  const stop = new AbortController();
  const running = codeOf(world.compute.run(hang, {}, { signal: stop.signal, timeoutMs: 60_000 }));
  setImmediate(() => stop.abort());
  expect(await running).toBe('run/aborted');
});

test('HTTPS carries method, path, headers, body and the client certificate, and streams the reply', async () => {
  const pair = await pki.serverPair('127.0.0.1');
  const server = await world.listen.http({
    host: '127.0.0.1',
    port: 0,
    tls: { certificate: pair.certificate, key: pair.key, clientCa: pki.ca, clientCertificates: 'require' },
    handler: async (request) => {
      if (request.path === '/stream') {
        return {
          status: 200,
          body: (async function* () {
            for (let index = 0; index < 3; index += 1) yield Buffer.from(`line ${index}\n`);
          })(),
        };
      }
      const { method, path, client } = request;
      return {
        status: 201,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          method,
          path,
          body: Buffer.from(request.body).toString(),
          accept: request.headers.accept,
          groups: client?.organizations,
        }),
      };
    },
  });
  const admin = await pki.mutual('system:masters');
  const target: HttpTarget = {
    protocol: 'https',
    host: '127.0.0.1',
    port: server.port,
    tls: { ca: pki.ca, certificate: admin.certificate, key: admin.key },
  };
  const reply = await world.dial.http({
    target,
    method: 'PATCH',
    path: '/api/v1?x=1',
    headers: { accept: 'application/json' },
    body: 'héllo',
    signal: soon(),
  });
  expect([reply.status, reply.headers['content-type'], JSON.parse(await text(reply.body))]).toEqual([
    201,
    'application/json',
    { method: 'PATCH', path: '/api/v1?x=1', body: 'héllo', accept: 'application/json', groups: ['system:masters'] },
  ]);
  const stream = await world.dial.http({ target, method: 'GET', path: '/stream', headers: {}, signal: soon() });
  expect(await text(stream.body)).toBe('line 0\nline 1\nline 2\n');
  const get = (tls: HttpTarget['tls']) =>
    codeOf(world.dial.http({ target: { ...target, ...(tls ? { tls } : {}) }, method: 'GET', path: '/', headers: {}, signal: soon() }));
  expect(await get({ ca: pki.ca })).toBe('host/dial certificate-required');
  expect(await get({ ca: (await testPki()).ca, certificate: admin.certificate, key: admin.key })).toBe('host/dial unknown-authority');
  await server.close();
  expect(await codeOf(world.dial.http({ target, method: 'GET', path: '/', headers: {}, signal: soon() }))).toBe('host/dial refused');
});

test('an open watch ends at both ends when its reader leaves, and breaks off when the server dies', async () => {
  const gone: string[] = [];
  const serve = (port: number) =>
    world.listen.http({
      host: '127.0.0.1',
      port,
      handler: async (request) => ({
        status: 200,
        body: (async function* () {
          yield Buffer.from('first\n');
          await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve(), { once: true }));
          gone.push(request.path);
        })(),
      }),
    });
  const server = await serve(0);
  const target: HttpTarget = { protocol: 'http', host: '127.0.0.1', port: server.port };
  const watch = async (path: string) =>
    (await world.dial.http({ target, method: 'GET', path, headers: {}, signal: soon() })).body[Symbol.asyncIterator]();
  const left = await watch('/a?watch=true');
  await left.next();
  await left.return?.();
  await expect.poll(() => gone).toEqual(['/a?watch=true']);
  const cut = await watch('/b?watch=true');
  await cut.next();
  await server.close();
  expect(await codeOf(cut.next())).toBe('host/dial reset');
});

test('two servers cannot have one port', async () => {
  const handler = async () => ({ status: 200 });
  const first = await world.listen.http({ host: '127.0.0.1', port: 0, handler });
  await expect(world.listen.http({ host: '127.0.0.1', port: first.port, handler })).rejects.toMatchObject({
    failure: { code: 'host/listen', facts: { host: '127.0.0.1', port: first.port, errno: 'EADDRINUSE' } },
  });
  await first.close();
});
