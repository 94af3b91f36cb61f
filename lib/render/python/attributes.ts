import { compareValues } from './sorting.ts';
import { isEqual, iterate, listOf } from './operators.ts';
import { builtin, pair } from './signature.ts';
import { reprOf } from './text.ts';
import { stringMethod } from './strings.ts';
import {
  Callable,
  Dict,
  DictView,
  Instance,
  isInteger,
  isText,
  PythonError,
  Range,
  Tuple,
  typeError,
  typeName,
  Undefined,
  type Value,
  valueError,
} from './values.ts';

/** `getattr(object, name)` for what templates may reach; undefined when there is no such attribute. Underscored names do not exist. */
export function attributeOf(object: Value, name: string): Value | undefined {
  if (object instanceof Instance) return object.attribute(name);
  if (name.startsWith('__')) return undefined;
  if (isText(object)) return stringMethod(object, name, attributeOf);
  if (Array.isArray(object)) return listMethod(object, name);
  if (object instanceof Dict) return dictMethod(object, name);
  if (object instanceof Tuple) return tupleAttribute(object, name);
  if (object instanceof Callable) return object.attributes.get(name);
  if (object instanceof Range && name === 'count')
    return builtin(name, ['value'], ([value = null]) => BigInt(listOf(object).filter((item) => isEqual(item, value)).length));
  if (object instanceof Range && name === 'index')
    return builtin(name, ['value'], ([value = null]) => indexOf(listOf(object), value, `${reprOf(value)} is not in range`));
  if (object instanceof Range && (name === 'start' || name === 'stop' || name === 'step')) return object[name];
  if (typeof object === 'number') return floatAttribute(object, name);
  if (isInteger(object)) return integerAttribute(BigInt(object), name);
  if (object instanceof DictView && name === 'mapping') return object.dict;
  return undefined;
}

function integerAttribute(value: bigint, name: string): Value | undefined {
  if (name === 'real' || name === 'numerator') return value;
  if (name === 'imag') return 0n;
  if (name === 'denominator') return 1n;
  if (name === 'bit_length') return builtin(name, [], () => (value === 0n ? 0n : BigInt((value < 0n ? -value : value).toString(2).length)));
  if (name === 'bit_count') return builtin(name, [], () => BigInt((value < 0n ? -value : value).toString(2).replaceAll('0', '').length));
  if (name === 'conjugate') return builtin(name, [], () => value);
  return undefined;
}

function floatAttribute(value: number, name: string): Value | undefined {
  if (name === 'real') return value;
  if (name === 'imag') return 0;
  if (name === 'is_integer') return builtin(name, [], () => Number.isInteger(value));
  if (name === 'conjugate') return builtin(name, [], () => value);
  return undefined;
}

function tupleAttribute(tuple: Tuple, name: string): Value | undefined {
  const place = tuple.names?.indexOf(name) ?? -1;
  if (place >= 0) return tuple.items[place];
  if (name === 'count')
    return builtin(name, ['value'], ([value = null]) => BigInt(tuple.items.filter((item) => isEqual(item, value)).length));
  if (name === 'index') return builtin(name, ['value'], ([value = null]) => indexOf(tuple.items, value, 'tuple.index(x): x not in tuple'));
  return undefined;
}

function indexOf(items: readonly Value[], value: Value, failure: string): bigint {
  const at = items.findIndex((item) => isEqual(item, value));
  if (at < 0) throw valueError(failure);
  return BigInt(at);
}

function place(value: Value, length: number): number {
  if (!isInteger(value)) throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`);
  const index = Number(value);
  return index < 0 ? index + length : index;
}

function listMethod(list: Value[], name: string): Callable | undefined {
  switch (name) {
    case 'append':
      return builtin(name, ['object'], ([item = null]) => (list.push(item), null));
    case 'extend':
      return builtin(name, ['iterable'], ([items = null]) => {
        for (const item of listOf(items)) list.push(item);
        return null;
      });
    case 'insert':
      return builtin(
        name,
        ['index', 'object'],
        ([index = null, item = null]) => (list.splice(Math.max(0, place(index, list.length)), 0, item), null),
      );
    case 'pop':
      return builtin(name, [['index', -1n]], ([index = null]) => {
        if (list.length === 0) throw new PythonError('IndexError', 'pop from empty list');
        const at = place(index, list.length);
        if (at < 0 || at >= list.length) throw new PythonError('IndexError', 'pop index out of range');
        return list.splice(at, 1)[0] ?? null;
      });
    case 'remove':
      return builtin(
        name,
        ['value'],
        ([value = null]) => (list.splice(Number(indexOf(list, value, 'list.remove(x): x not in list')), 1), null),
      );
    case 'clear':
      return builtin(name, [], () => (list.splice(0), null));
    case 'index':
      return builtin(name, ['value'], ([value = null]) => indexOf(list, value, `${reprOf(value)} is not in list`));
    case 'count':
      return builtin(name, ['value'], ([value = null]) => BigInt(list.filter((item) => isEqual(item, value)).length));
    case 'copy':
      return builtin(name, [], () => [...list]);
    case 'reverse':
      return builtin(name, [], () => (list.reverse(), null));
    case 'sort':
      return builtin(name, ['*', ['key', null], ['reverse', false]], ([, reverse = false]) => {
        list.sort((a, b) => (reverse === true ? compareValues(b, a) : compareValues(a, b)));
        return null;
      });
    default:
      return undefined;
  }
}

function dictMethod(dict: Dict, name: string): Callable | undefined {
  switch (name) {
    case 'keys':
    case 'values':
    case 'items':
      return builtin(name, [], () => new DictView(dict, name));
    case 'get':
      return builtin(
        name,
        ['key', ['default', null]],
        ([key = null, otherwise = null]) => dict.get(key) ?? (dict.has(key) ? null : otherwise),
      );
    case 'setdefault':
      return builtin(name, ['key', ['default', null]], ([key = null, otherwise = null]) => {
        if (!dict.has(key)) dict.set(key, otherwise);
        return dict.get(key) ?? null;
      });
    case 'pop':
      return builtin(name, ['key', '*rest'], ([key = null], { rest }) => {
        const value = dict.get(key);
        if (value === undefined && rest.length === 0) throw new PythonError('KeyError', reprOf(key));
        dict.delete(key);
        return value === undefined ? (rest[0] ?? null) : value;
      });
    case 'popitem':
      return builtin(name, [], () => {
        const last = dict.entries().at(-1);
        if (!last) throw new PythonError('KeyError', "'popitem(): dictionary is empty'");
        dict.delete(last[0]);
        return pair(...last);
      });
    case 'update':
      return builtin(name, ['*rest', '**named'], (_, { rest, named }) => {
        for (const other of rest) for (const [key, value] of pairsOf(other)) dict.set(key, value);
        for (const [key, value] of named) dict.set(key, value);
        return null;
      });
    case 'copy':
      return builtin(name, [], () => dict.copy());
    case 'clear':
      return builtin(name, [], () => (dict.clear(), null));
    default:
      return undefined;
  }
}

/** What `dict(x)` and `dict.update(x)` take. */
export function pairsOf(source: Value): [Value, Value][] {
  if (source instanceof Dict) return source.entries();
  if (source instanceof Undefined) source.fail();
  return Array.from(iterate(source), (item, index) => {
    const parts = listOf(item);
    if (parts.length !== 2) throw valueError(`dictionary update sequence element #${index} has length ${parts.length}; 2 is required`);
    return [parts[0] ?? null, parts[1] ?? null];
  });
}
