import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addressOf,
  compareVersions,
  contains,
  formatPath,
  minorOf,
  networkOf,
  newestInRange,
  nthHost,
  overlaps,
  parseAddress,
  parseJson,
  parseNetwork,
  parseToml,
  parseVersion,
  parseYamlBulk,
  versionOf,
} from '../../../lib/format/index.ts';

test('JSON keeps positions, long integers and the last of a duplicate key', () => {
  const text = '{"id": 12345678901234567890,\n\t"nodes": [{"name": "a"}],\n"nodes": [],"__proto__": 1}';
  const { documents, failures } = parseJson({ path: 'x.json', text });
  expect(documents[0]?.value).toEqual(
    JSON.parse('{"id":0,"nodes":[],"__proto__":1}', (key, value) => (key === 'id' ? 12345678901234567890n : value)),
  );
  expect(failures.map(({ code, where }) => [code, where?.kind === 'file' && [where.line, where.column]])).toEqual([
    ['format/duplicate-key', [3, 1]],
  ]);
});

test('JSON that is none is told with its place', () => {
  expect(parseJson({ path: 'x.json', text: '{"a": 1,\n "b": nope}' }).failures).toEqual([
    {
      code: 'format/syntax',
      facts: { format: 'JSON' },
      where: { kind: 'file', path: 'x.json', line: 2, column: 7, excerpt: { text: ' "b": nope}', length: 1 } },
    },
  ]);
  expect(JSON.stringify(parseJson({ path: 'x.json', text: '{"token": hunter2}' }, { confidential: true }).failures)).not.toContain(
    'hunter',
  );
  expect(parseJson({ path: 'x.json', text: '{"a": ' }).failures.map(({ code }) => code)).toEqual(['format/syntax']);
});

test('TOML keeps positions of keys in tables and in lists of tables', () => {
  const text =
    '# top\r\n[network]\r\nnode_cidr = "10.0.0.0/24" # here\r\n\r\n[[nodes]]\r\nname = "a"\r\n[[nodes]]\r\nname = "b"\r\n[nodes.disk]\r\nserial = 12345678901234567890\r\n';
  const [document] = parseToml({ path: 'x.toml', text }).documents;
  expect(document?.value).toEqual({
    network: { node_cidr: '10.0.0.0/24' },
    nodes: [{ name: 'a' }, { name: 'b', disk: { serial: 12345678901234567890n } }],
  });
  const at = (path: (string | number)[], part?: 'key') => {
    const span = document?.spanOf(path, part);
    return span && text.slice(span.start, span.end);
  };
  expect([
    at(['network', 'node_cidr']),
    at(['network', 'node_cidr'], 'key'),
    at(['nodes', 1, 'name']),
    at(['nodes', 1, 'disk', 'serial']),
    at(['nodes', 0, 'missing']),
  ]).toEqual(['"10.0.0.0/24"', 'node_cidr', '"b"', '12345678901234567890', 'nodes']);
  expect(parseToml({ path: 'x.toml', text: 'a = 1\nb = = 2\n' }).failures).toEqual([
    {
      code: 'format/syntax',
      facts: { format: 'TOML', problem: 'invalid value' },
      where: { kind: 'file', path: 'x.toml', line: 2, column: 5, excerpt: { text: 'b = = 2', length: 1 } },
    },
  ]);
});

test('bulk YAML reads octal modes and 1.1 booleans as Kubernetes does, and tells the line of a mistake', () => {
  expect(parseYamlBulk('mode: 0400\non: yes\nname: "yes"\n---\n# nothing\n---\nb: 1\n')).toEqual([
    { mode: 256, true: true, name: 'yes' },
    { b: 1 },
  ]);
  expect(() => parseYamlBulk('a: 1\nb: [1\n', { path: 'bundle.yaml' })).toThrow('format/syntax');
});

test('versions', () => {
  expect(versionOf('1.14.0-rc.1')).toEqual({ major: 1, minor: 14, patch: 0, prerelease: ['rc', 1], text: 'v1.14.0-rc.1' });
  expect(['1.14', 'v1', 'latest', '', '1.2.3.4'].map(versionOf)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  expect(['v1.14.1', '1.9.9', 'v1.14.0-rc.1', 'v1.14.0'].sort(compareVersions)).toEqual(['1.9.9', 'v1.14.0-rc.1', 'v1.14.0', 'v1.14.1']);
  expect([minorOf('v1.14.1'), newestInRange(['v1.1.0', 'latest', 'v1.10.0', 'v2.0.0'], '^1.0.0')]).toEqual(['1.14', 'v1.10.0']);
  expect(() => parseVersion('x')).toThrow('format/version');
});

test('addresses and networks', () => {
  expect(['10.1', '010.0.0.1', '1.2.3.256', 'fe80::1%eth0', '', 'a'].map(addressOf)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect([addressOf('FD00:0:0::1')?.text, addressOf('10.0.0.1')?.value]).toEqual(['fd00::1', 167772161n]);
  expect([networkOf('192.168.42.1/24')?.text, networkOf('fd00::ffff/64')?.text, networkOf('10.0.0.0/33'), networkOf('10.0.0.0')]).toEqual([
    '192.168.42.0/24',
    'fd00::/64',
    undefined,
    undefined,
  ]);
  const network = parseNetwork('192.168.42.0/24');
  expect([
    contains(network, parseAddress('192.168.42.255')),
    contains(network, parseAddress('192.168.43.0')),
    contains(network, parseAddress('::1')),
  ]).toEqual([true, false, false]);
  expect([overlaps(network, parseNetwork('192.168.0.0/16')), overlaps(network, parseNetwork('192.168.43.0/24'))]).toEqual([true, false]);
  expect([nthHost(network, 1)?.text, nthHost(network, -1)?.text, nthHost(network, 256)]).toEqual([
    '192.168.42.1',
    '192.168.42.255',
    undefined,
  ]);
  expect(() => parseAddress('x')).toThrow('format/address');
});

test('paths read as people write them', () => {
  expect(formatPath(['nodes', 2, 'labels', 'example.com/gpu'])).toBe('nodes[2].labels["example.com/gpu"]');
});

const jsonPieces = fc.array(
  fc.constantFrom('{', '}', '[', ']', ':', ',', '"a"', '"', '1', '-', '0', '1.5e3', 'true', 'null', ' ', '\n', '\t', 'x', '\\u00e9', '\\'),
  { maxLength: 14 },
);

test('JSON is what JSON.parse takes, and the place of a mistake is where the text stops being a beginning of JSON', () => {
  fc.assert(
    fc.property(jsonPieces, (pieces) => {
      const text = pieces.join('');
      const { documents, failures } = parseJson({ path: 'x.json', text });
      let expected: { value: unknown } | undefined;
      try {
        expected = { value: JSON.parse(text) };
      } catch {
        expected = undefined;
      }
      expect(documents.length).toBe(expected ? 1 : 0);
      if (expected) expect(documents[0]?.value).toEqual(expected.value);
      else expect(failures.map(({ code, where }) => [code, where?.kind])).toEqual([['format/syntax', 'file']]);
    }),
    { numRuns: 800 },
  );
});

test('no TOML whatsoever throws, and every key that it has is found', () => {
  const pieces = fc.array(
    fc.constantFrom(
      '[a]\n',
      '[[b]]\n',
      '[a.c]\n',
      'k = 1\n',
      'a.d = "x"\n',
      '"q r" = [1, 2]\n',
      "l = '''x\ny'''\n",
      'bad\n',
      '= 1\n',
      '# c\n',
      'i = { z = 1 }\n',
      'k = 2\n',
      '\r\n',
    ),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(pieces, (parts) => {
      const text = parts.join('');
      const { documents, failures } = parseToml({ path: 'x.toml', text });
      expect(documents.length + failures.length).toBe(1);
      for (const key of Object.keys((documents[0]?.value as object | undefined) ?? {})) {
        const span = documents[0]?.spanOf([key], 'key');
        expect(documents[0]?.has([key])).toBe(true);
        expect(span && span.end <= text.length).toBe(true);
      }
    }),
    { numRuns: 400 },
  );
});
