// Records what a real kube-apiserver answers to the requests of test/conformance/kube/requests.ts, and its discovery documents.
//
//   kube-apiserver-up >config & node --conditions talos-tk-source test/oracle/kube/record.ts "$(cat config)"
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNormaliser, parseAnswer } from '../../conformance/kube/normalise.ts';
import { recordedRequests } from '../../conformance/kube/requests.ts';

const config = readFileSync(process.argv[2] as string, 'utf8');
const field = (name: string) => new RegExp(`${name}: (\\S+)`).exec(config)?.[1] ?? '';
const pem = (name: string) => Buffer.from(field(name), 'base64').toString();
const server = new URL(field('server'));
const tls = { ca: pem('certificate-authority-data'), cert: pem('client-certificate-data'), key: pem('client-key-data') };

interface Raw {
  readonly status: number;
  readonly body: string;
  readonly warning?: string;
}

function ask(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        ...tls,
        host: server.hostname,
        port: server.port,
        method,
        path,
        headers: { 'user-agent': 'tk', ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: text,
            ...(response.headers.warning === undefined ? {} : { warning: String(response.headers.warning) }),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const normalise = createNormaliser();
const versions = new Map<string, string>();
const exchanges: unknown[] = [];
for (const { id, method, path, contentType, accept, user, body, until } of recordedRequests) {
  const filled = path.replace(/\{rv:([^}]+)\}/, (_match, other: string) => versions.get(other) ?? '');
  const headers: Record<string, string> = {
    accept: accept ?? 'application/json',
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...(user === undefined ? {} : { 'impersonate-user': user }),
  };
  let raw = await ask(method, filled, headers, body === undefined ? undefined : JSON.stringify(body));
  for (let tries = 0; until !== undefined && !raw.body.includes(until) && tries < 50; tries += 1) {
    await sleep(200);
    raw = await ask(method, filled, headers, body === undefined ? undefined : JSON.stringify(body));
  }
  const answer = parseAnswer(raw.body) as { metadata?: { resourceVersion?: string } };
  if (answer.metadata?.resourceVersion) versions.set(id, answer.metadata.resourceVersion);
  exchanges.push({ id, status: raw.status, ...(raw.warning === undefined ? {} : { warning: raw.warning }), body: normalise(answer) });
}
const version = parseAnswer((await ask('GET', '/version', { accept: 'application/json' })).body) as { gitVersion: string };
writeFileSync(
  'test/conformance/kube/exchanges.json',
  `${JSON.stringify({ recordedFrom: `kube-apiserver ${version.gitVersion}`, exchanges }, null, 1)}\n`,
);

const lists: unknown[] = [];
const groups = parseAnswer((await ask('GET', '/apis', { accept: 'application/json' })).body) as {
  groups: { versions: { groupVersion: string }[] }[];
};
for (const groupVersion of ['v1', ...groups.groups.flatMap((group) => group.versions.map((one) => one.groupVersion))]) {
  if (groupVersion.includes('example.org')) continue;
  const list = parseAnswer(
    (await ask('GET', groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`, { accept: 'application/json' })).body,
  ) as { resources: Record<string, unknown>[] };
  lists.push({ groupVersion, resources: list.resources.map(({ storageVersionHash: _hash, ...rest }) => rest) });
}
writeFileSync(
  'test/conformance/kube/discovery.json',
  `${JSON.stringify({ recordedFrom: `kube-apiserver ${version.gitVersion}`, lists }, null, 1)}\n`,
);
process.stdout.write(`${exchanges.length} exchanges, ${lists.length} resource lists\n`);
