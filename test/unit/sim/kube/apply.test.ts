import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldsOf, fromFieldsV1, readablePath, toFieldsV1, union } from '../../../../lib/sim/kube/fields.ts';
import { applyConfiguration, trackUpdate, type TypeOfObject } from '../../../../lib/sim/kube/managers.ts';
import { builtInType } from '../../../../lib/sim/kube/schema.ts';
import { equal, isObj, listAt, type Obj, objAt, type Value } from '../../../../lib/sim/kube/value.ts';

const its: TypeOfObject = { group: 'apps', kind: 'Deployment', type: builtInType('apps', 'Deployment'), resets: () => false };
const writer = (manager: string) => ({ manager, apiVersion: 'apps/v1', subresource: '', time: '2026-01-01T00:00:00Z' });
const apply = (live: Obj | undefined, config: Obj, manager: string, force = false) =>
  applyConfiguration(live, config, its, writer(manager), force);
const bare = (object: Obj): Obj => {
  const { managedFields: _managed, ...metadata } = objAt(object, 'metadata');
  return { ...object, metadata };
};
/** Lists that merge by key or as a set: their order is nobody's. */
const unordered = (object: Obj): Obj => {
  const walk = (value: Value, key: string): Value => {
    if (Array.isArray(value)) {
      const items = value.map((item) => walk(item, ''));
      return key === 'args' ? items : items.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1));
    }
    return isObj(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, walk(inner, name)])) : value;
  };
  return walk(bare(object), '') as Obj;
};
const ownersOf = (object: Obj) => listAt(object, 'metadata', 'managedFields').map((entry) => String(objAt(entry).manager));

const name = fc.constantFrom('a', 'b', 'c');
const text = fc.constantFrom('1', '2', '3');
const container = fc.record(
  {
    name,
    image: text,
    args: fc.array(text, { maxLength: 2 }),
    env: fc.uniqueArray(fc.record({ name, value: text }), { selector: (one) => one.name, maxLength: 3 }),
    ports: fc.uniqueArray(fc.record({ containerPort: fc.constantFrom(80, 443), name: text }, { requiredKeys: ['containerPort'] }), {
      selector: (one) => one.containerPort,
      maxLength: 2,
    }),
  },
  { requiredKeys: ['name'] },
);
/** Configurations that managers of one Deployment could apply. */
const configuration = fc
  .record(
    {
      labels: fc.dictionary(name, text, { maxKeys: 3 }),
      finalizers: fc.uniqueArray(fc.constantFrom('x/1', 'x/2', 'x/3'), { maxLength: 3 }),
      replicas: fc.integer({ min: 0, max: 3 }),
      nodeSelector: fc.dictionary(name, text, { maxKeys: 2 }),
      // An empty list merges into what is there and belongs to nobody, upstream too.
      containers: fc.uniqueArray(container, { selector: (one) => one.name, minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: [] },
  )
  .map(({ labels, finalizers, replicas, nodeSelector, containers }): Obj => {
    const podSpec: Obj = {
      ...(nodeSelector ? { nodeSelector: nodeSelector as Obj } : {}),
      ...(containers ? { containers: containers as unknown as Obj[] } : {}),
    };
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'web',
        ...(labels && Object.keys(labels).length > 0 ? { labels: labels as Obj } : {}),
        ...(finalizers && finalizers.length > 0 ? { finalizers } : {}),
      },
      spec: {
        ...(replicas === undefined ? {} : { replicas }),
        ...(Object.keys(podSpec).length === 0 ? {} : { template: { spec: podSpec } }),
      },
    };
  });

const runs = { numRuns: 200 };

test('a set of fields survives the trip through managedFields', () => {
  fc.assert(
    fc.property(configuration, (config) => {
      const set = fieldsOf(config, its.type);
      expect([...fromFieldsV1(toFieldsV1(set))].sort()).toEqual([...set].sort());
    }),
    runs,
  );
});

test('the same configuration a second time changes nothing', () => {
  fc.assert(
    fc.property(configuration, (config) => {
      const first = apply(undefined, config, 'a').object;
      const second = apply(first, config, 'a');
      expect(second.isNoop).toBe(true);
      expect(second.object).toEqual(first);
    }),
    runs,
  );
});

test('what a manager alone applied is exactly what there is, whatever it applied before', () => {
  fc.assert(
    fc.property(configuration, configuration, (before, after) => {
      const changed = apply(apply(undefined, before, 'a').object, after, 'a').object;
      const fresh = apply(undefined, after, 'a').object;
      const fields = (object: Obj) => [...fieldsOf(bare(object), its.type)].map(readablePath).sort();
      expect(fields(changed)).toEqual(fields(fresh));
      expect(fieldsOf(bare(changed), its.type)).toEqual(fieldsOf(bare(fresh), its.type));
    }),
    runs,
  );
});

test('with force the configuration holds afterwards, and the same again is no conflict', () => {
  fc.assert(
    fc.property(configuration, configuration, (a, b) => {
      const both = apply(apply(undefined, a, 'a').object, b, 'b', true).object;
      const again = apply(both, b, 'b');
      expect(equal(bare(again.object), bare(both))).toBe(true);
    }),
    runs,
  );
});

test('managers that agree never conflict and share their fields; when one gives up, the other keeps them', () => {
  fc.assert(
    fc.property(configuration, (config) => {
      const shared = apply(apply(undefined, config, 'a').object, config, 'b').object;
      const left = apply(shared, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }, 'a').object;
      expect(bare(left)).toEqual(bare(shared));
      expect(ownersOf(left)).toEqual(ownersOf(apply(undefined, config, 'b').object));
    }),
    runs,
  );
});

test('a conflict is told exactly when what another manager applied would not hold any more', () => {
  fc.assert(
    fc.property(configuration, configuration, (a, b) => {
      const live = apply(undefined, a, 'a').object;
      const forced = apply(live, b, 'b', true).object;
      const stillHolds = equal(unordered(apply(forced, a, 'a', true).object), unordered(forced));
      let isConflict = false;
      try {
        apply(live, b, 'b');
      } catch (error) {
        expect(error).toMatchObject({ code: 409, reason: 'Conflict' });
        isConflict = true;
      }
      expect(isConflict).toBe(!stillHolds);
    }),
    runs,
  );
});

test('an update takes over what it changed, and only that', () => {
  fc.assert(
    fc.property(configuration, fc.integer({ min: 4, max: 9 }), (config, replicas) => {
      const live = apply(undefined, config, 'a').object;
      const next = { ...live, spec: { ...objAt(live, 'spec'), replicas } };
      const tracked = trackUpdate(live, next, its, writer('hand'));
      const setOf = (manager: string) =>
        listAt(tracked, 'metadata', 'managedFields')
          .filter((entry) => objAt(entry).manager === manager)
          .map((entry) => fromFieldsV1(objAt(entry).fieldsV1))
          .reduce((all, one) => union(all, one), new Set<string>());
      expect([...setOf('hand')].map(readablePath)).toContain('.spec.replicas');
      expect([...setOf('a')].map(readablePath)).not.toContain('.spec.replicas');
    }),
    runs,
  );
});
