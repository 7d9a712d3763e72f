// Values of the script as JSON: whole, or refused with the place that JSON can't say.
//
// `JSON.stringify` writes `null`, `{}` or nothing for what it doesn't know. That would be another value than the script's.

const { getPrototypeOf } = Object;
const {
  isArrayBufferView,
  isBigIntObject,
  isBoxedPrimitive,
  isDate,
  isGeneratorObject,
  isMap,
  isMapIterator,
  isModuleNamespaceObject,
  isNumberObject,
  isRegExp,
  isSet,
  isSetIterator,
  isSymbolObject,
  isWeakMap,
  isWeakSet,
} = util.types;
const OBJECT = Object.prototype;
const hasOwn = method(OBJECT.hasOwnProperty);
const timeOf = method(Date.prototype.getTime);
const numberOf = method(Number.prototype.valueOf);
const dateToJson = Date.prototype.toJSON;
const urlToJson = URL.prototype.toJSON;
const BIGINT = BigInt.prototype;

// Nothing is written that is nested more than this. Python's side says the same.
const DEEPEST = 200;

// A value that JSON doesn't have. `place` is where it stands, from the value that holds it.
class Fault {
  constructor(text) {
    this.text = text;
    this.place = '';
    this.isTooDeep = false;
  }
}
setPrototypeOf(Fault.prototype, null);

// Some object writes itself by a `toJSON` of its own: only while it does can its result be looked at.
let writesItself = false;

// There is a -0, which JSON.stringify writes as `0`. This text is written in its place and replaced afterwards; no script
// can have it in a text of its own.
const NEGATIVE_ZERO = `-0 ${Math.random()} ${Math.random()}`;
let hasNegativeZero = false;

// JSON of any value as bytes, or Refused; `what` is the value in words.
function toJson(value, what) {
  let text, fault;
  try {
    writesItself = hasNegativeZero = false;
    fault = faultIn(value, 0);
    if (fault === undefined) {
      if (writesItself) text = stringifyWatching(value);
      else text = hasNegativeZero ? stringify(value, markNegativeZero) : stringify(value);
      if (hasNegativeZero) text = withNegativeZeros(text);
      if (text !== undefined && indexOf(text, '\\ud') >= 0 && hasHalf(text)) fault = halfIn(parse(text));
    } else if (fault.isTooDeep) {
      tellCycle(value);
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw new Refused(`${what} can't be written as JSON: ${messageOf(error)}`);
    fault = error;
  }
  if (fault !== undefined) {
    const place = fault.place[0] === '.' ? slice(fault.place, 1) : fault.place;
    throw new Refused(`${what} can't be written as JSON: ${place === '' ? 'it' : `its \`${place}\``} is ${fault.text}`);
  }
  if (text === undefined) throw new Refused(`${what} can't be written as JSON: it is undefined`);
  return encode(text);
}

// The first value within `value` that JSON would lose, if there is one. This looks at all that a call answers.
function faultIn(value, depth) {
  const type = typeof value;
  if (type === 'string' || type === 'boolean' || type === 'undefined') return undefined;
  if (type === 'number') {
    if (value === 0 && 1 / value < 0) hasNegativeZero = true;
    return isFinite(value) ? undefined : new Fault(`${value}`);
  }
  if (type !== 'object') return primitiveFault(value, type);
  if (value === null) return undefined;
  if (depth > DEEPEST) {
    const fault = new Fault(`nested more than ${DEEPEST} levels deep`);
    fault.isTooDeep = true;
    return fault;
  }
  const writes = value.toJSON !== undefined;
  if (isArray(value) && !writes) {
    for (let index = 0; index < value.length; index++) {
      const item = value[index];
      if (typeof item === 'string') continue;
      const fault = faultIn(item, depth + 1);
      if (fault !== undefined) return within(`[${index}]`, fault);
    }
    if (value.length > 0) return undefined;
    for (const name in value) {
      if (hasOwn(value, name)) return new Fault(`an array with a field \`${name}\`: use a plain object, \`{}\``);
    }
    return undefined;
  }
  const prototype = getPrototypeOf(value);
  if ((prototype !== OBJECT && prototype !== null) || writes) return otherFault(value, depth);
  for (const name in value) {
    const item = value[name];
    if (typeof item === 'string') continue;
    const fault = faultIn(item, depth + 1);
    // What it inherits is not written.
    if (fault !== undefined && hasOwn(value, name)) return within(step(name), fault);
  }
  return undefined;
}

// The same of an object that is no plain one.
function otherFault(value, depth) {
  const fault = kindFault(value, false);
  // What writes itself has been asked, or will be.
  if (fault !== undefined || typeof value.toJSON === 'function') return fault;
  const names = keys(value);
  for (let index = 0; index < names.length; index++) {
    const fault = faultIn(value[names[index]], depth + 1);
    if (fault !== undefined) return within(step(names[index]), fault);
  }
  return undefined;
}

function within(step, fault) {
  // A cycle would be a thousand steps long.
  if (!fault.isTooDeep) fault.place = step + fault.place;
  return fault;
}

function step(name) {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${stringify(name)}]`;
}

function primitiveFault(value, type) {
  if (type === 'function') return new Fault('a function');
  if (type === 'symbol') return new Fault('a symbol');
  if (typeof BIGINT.toJSON === 'function') {
    writesItself = true;
    return undefined;
  }
  return new Fault('a BigInt: send it as text, `String(n)`');
}

// The fault of an object that is no plain one, whatever it holds. `isAsked`: it is what a `toJSON` said.
function kindFault(value, isAsked) {
  // Whatever they write of themselves would be something else.
  if (isArrayBufferView(value) || isAnyArrayBuffer(value)) {
    return new Fault(
      `${oneOf(value)}: send it as text, \`Buffer.from(x).toString('base64')\`, or as the content of an \`HttpResponse\``,
    );
  }
  if (isDate(value) && timeOf(value) !== timeOf(value)) return new Fault('a Date that is no time (Invalid Date)');
  const { toJSON } = value;
  if (typeof toJSON === 'function' && !isAsked) {
    if (toJSON !== dateToJson && toJSON !== urlToJson) writesItself = true;
    return undefined;
  }
  if (isArray(value)) return undefined;
  const text = kindOf(value);
  if (text !== undefined) return new Fault(text);
  if (isBoxedPrimitive(value)) {
    if (isSymbolObject(value)) return new Fault('a symbol');
    if (isBigIntObject(value)) return primitiveFault(value, 'bigint');
    return isNumberObject(value) ? faultIn(numberOf(value), 0) : undefined;
  }
  // A plain object of another realm, or one without a prototype.
  const prototype = getPrototypeOf(value);
  if (prototype === null || getPrototypeOf(prototype) === null || keys(value).length > 0) return undefined;
  return new Fault(`${oneOf(value)} without fields of its own: return a plain object, or give it a \`toJSON\``);
}

// Why JSON can't say an object that is one of the language's or of Node's kinds, and what can; undefined for another one.
function kindOf(value) {
  if (isPromise(value) || typeof value.then === 'function') {
    return 'a promise: `await` it (a list of them: `await Promise.all(list)`)';
  }
  if (isMap(value)) return 'a Map: send `Object.fromEntries(map)` or `[...map]`';
  if (isSet(value)) return 'a Set: send `[...set]`';
  if (isNativeError(value)) return 'an Error: send its `message`, or throw it';
  if (isRegExp(value)) return 'a RegExp: send its `source`';
  if (isWeakMap(value) || isWeakSet(value)) return `${oneOf(value)}, whose content nobody can list`;
  if (isMapIterator(value) || isSetIterator(value)) return 'an iterator: send `[...iterator]`';
  if (isGeneratorObject(value)) {
    const isAsync = typeof value[Symbol.asyncIterator] === 'function';
    return isAsync
      ? 'an async generator: gather what it yields by `for await`'
      : 'a generator: send `[...generator]`';
  }
  if (isModuleNamespaceObject(value) || keys(value).length > 0) return undefined;
  const name = nameOf(value);
  switch (name) {
    case 'Response':
    case 'Request':
      return `a ${name}: send \`await x.json()\` or \`await x.text()\``;
    case 'Headers':
    case 'URLSearchParams':
    case 'FormData':
      return `a ${name}: send \`Object.fromEntries(x)\``;
    case 'Blob':
    case 'File':
      return `a ${name}: send \`await x.text()\``;
  }
  if (typeof value.next === 'function') return 'an iterator: send `[...iterator]`';
  return undefined;
}

function nameOf(value) {
  try {
    const { name } = value.constructor;
    if (typeof name === 'string' && name !== '') return name;
  } catch {
    // A script's own getter.
  }
  return 'object';
}

// Its name with the article that it takes.
const oneOf = value => `${/^[AEIOaeio]/.test(nameOf(value)) ? 'an' : 'a'} ${nameOf(value)}`;

// As JSON.stringify, which asks objects what to write, and looks at what they say.
function stringifyWatching(value) {
  const holders = [];
  const steps = [];
  let depth = 0;
  return stringify(value, function (name, item) {
    while (depth > 0 && holders[depth - 1] !== this) depth--;
    const isObject = typeof item === 'object' && item !== null;
    const before = this[name];
    const isForeign = typeof before === 'object' && (isDate(before) || isArrayBufferView(before) || isAnyArrayBuffer(before));
    let fault = isForeign ? kindFault(before, false) : undefined;
    fault ??= isObject ? (getPrototypeOf(item) === OBJECT ? undefined : kindFault(item, true)) : faultIn(item, 0);
    if (isObject && depth > DEEPEST) fault ??= new Fault(`nested more than ${DEEPEST} levels deep`);
    const here = depth === 0 ? '' : isArray(this) ? `[${name}]` : step(name);
    if (fault !== undefined) {
      let place = '';
      for (let index = 0; index < depth && index < LONGEST_PLACE; index++) place += steps[index];
      fault.place = place + here;
      throw fault;
    }
    if (isObject) {
      define(holders, depth, item);
      define(steps, depth, here);
      depth++;
    }
    return markNegativeZero(name, item);
  });
}

// Of a cycle the engine says it best; of what is only deep it would say that the stack has ended.
function tellCycle(value) {
  try {
    stringify(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

function markNegativeZero(name, item) {
  const number = typeof item === 'object' && isNumberObject(item) ? numberOf(item) : item;
  return number === 0 && 1 / number < 0 ? NEGATIVE_ZERO : item;
}

function withNegativeZeros(json) {
  const mark = `"${NEGATIVE_ZERO}"`;
  let result = '';
  let done = 0;
  for (let at = indexOf(json, mark); at >= 0; at = indexOf(json, mark, done)) {
    result += slice(json, done, at) + '-0';
    done = at + mark.length;
  }
  return result + slice(json, done);
}

// So many steps of a place are told.
const LONGEST_PLACE = 50;

// Whether a text in it has half of a surrogate pair, which no UTF-8 has. JSON.stringify writes one as `\udxxx`, and nothing
// else like that.
function hasHalf(json) {
  for (let at = indexOf(json, '\\'); at >= 0; at = indexOf(json, '\\', at + 2)) {
    if (json[at + 1] === 'u' && json[at + 2] === 'd') return true;
  }
  return false;
}

const HALF = 'half of a surrogate pair, which UTF-8 does not have: send `text.toWellFormed()`';

// The first such text of a value that has one, and of nothing but plain objects and lists.
function halfIn(value) {
  if (typeof value === 'string') return hasHalf(stringify(value)) ? new Fault(`a text with ${HALF}`) : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const names = keys(value);
  for (let index = 0; index < names.length; index++) {
    const name = names[index];
    const key = stringify(name);
    if (hasHalf(key)) return new Fault(`an object whose key ${key} has ${HALF}`);
    const fault = halfIn(value[name]);
    if (fault !== undefined) return within(isArray(value) ? `[${name}]` : step(name), fault);
  }
  return undefined;
}
