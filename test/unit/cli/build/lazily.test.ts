import { type DescMessage, type DescService, fromBinary, toBinary } from '@bufbuild/protobuf';
import { enumDesc, messageDesc, serviceDesc } from '@bufbuild/protobuf/codegenv2';
import { expect, test } from 'vitest';
import { commonApi, create, machineApi } from '../../../../lib/upstream/index.ts';

const { lazily } = (await import(new URL('../../../../lib/cli/build/lazily.js', import.meta.url).href)) as {
  lazily: <D extends object>(build: () => D) => D;
};

const file = machineApi.file_machine;
const kinds = {
  file,
  message: messageDesc(file, 0),
  enum: enumDesc(commonApi.file_common, 0),
  service: serviceDesc(file, 0),
};

test.for(Object.entries(kinds))('a lazy %s has every property of the real one, whichever is asked for first', ([_kind, real]) => {
  for (const [property, value] of Object.entries(real)) {
    let builds = 0;
    const lazy = lazily<object>(() => {
      builds += 1;
      return real;
    });
    expect(builds).toBe(0);
    expect(lazy[property as keyof typeof lazy]).toBe(value);
    expect(Object.entries(lazy)).toEqual(Object.entries(real));
    expect([builds, String(lazy), Object.getPrototypeOf(lazy)]).toEqual([1, String(real), Object.prototype]);
  }
});

test('what a kind does not have is undefined, before and after', () => {
  const lazy = lazily<object>(() => kinds.enum) as unknown as { readonly fields?: unknown; readonly methods?: unknown };
  expect([lazy.fields, lazy.methods]).toEqual([undefined, undefined]);
});

test('messages go to the wire and back through lazy descriptors as through real ones', () => {
  const lazyFile = lazily(() => file);
  const version = lazily(
    () =>
      messageDesc(
        lazyFile,
        file.messages.findIndex(({ name }) => name === 'VersionResponse'),
      ) as DescMessage,
  );
  const service = lazily(() => serviceDesc(lazyFile, 0) as DescService);
  const message = create(machineApi.VersionResponseSchema, { messages: [{ version: { tag: 'v1.14.1' } }] });
  const bytes = toBinary(machineApi.VersionResponseSchema, message);
  expect(toBinary(version, fromBinary(version, bytes))).toEqual(bytes);
  expect(fromBinary(version, bytes)).toEqual(message);
  expect(service.method['version']?.output.typeName).toBe('machine.VersionResponse');
});
