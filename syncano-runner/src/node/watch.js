// Whether the classes of the language, Node's modules and the global scope are as a script found them, as far as it can reach
// them. What was added by assignment shows in the number of an object's keys, what was replaced in its values.

const { isExtensible } = Object;
const { isProxy } = util.types;

// Of one script. The checks are functions that name what they compare, which the engine makes a thousand times faster than
// looking it up.
const watch = bare({
  // Objects that the script names, and modules that it has loaded: tells whether they are unchanged.
  areNamedUnchanged: undefined,
  // The same of everything that the language has; undefined for a script that can't reach what it doesn't name.
  areAllUnchanged: undefined,
  // The modules of Node that have been loaded, by their names.
  modules: new Map(),
});

// How far from a module or a global name objects are watched, and how many of them at most.
const DEPTH = 3;
const WATCHED_AT_MOST = 400;

// What changes by itself, or is put back otherwise.
const CHANGING = new Set(['argv', 'ppid', 'cache', 'main', 'children', 'mainModule', 'exitCode', 'stack', 'constructor', 'caller', 'arguments']);
// Settings that are read and written by functions.
const SETTINGS = new Set(['defaultMaxListeners', 'defaultOptions', 'promises', 'globalAgent', 'title', 'fips']);
// What an agent is set to; the rest is what it does.
const SETTINGS_OF_AGENTS = ['keepAlive', 'maxSockets', 'maxTotalSockets', 'maxFreeSockets', 'scheduling', 'options', 'createConnection'];

// Names that hold what isn't one thing, or not to be watched.
const UNWATCHED = new Set(['ARGS', 'CONFIG', 'META', 'globalThis', 'global', 'module', 'exports', '__filename', '__dirname']);

const isName = key => typeof key === 'string' && /^[A-Za-z_$][\w$]*$/.test(key);
const isObject = value => (typeof value === 'object' && value !== null) || typeof value === 'function';

// A function that has nothing but its name and a prototype of its own without methods.
function isMere(action) {
  const own = ownKeys(action);
  if (own.length > 5) return false;
  for (const key of own) if (!['length', 'name', 'prototype', 'arguments', 'caller'].includes(key)) return false;
  const prototype = getOwnPropertyDescriptor(action, 'prototype')?.value;
  return !isObject(prototype) || ownKeys(prototype).length <= 1;
}

// Gathers into `found` what is reached from `object`: classes, their prototypes, plain objects. Instances count as values.
function survey(object, found, seen, depth = 0) {
  if (!isObject(object) || seen.has(object) || isProxy(object) || found.length >= WATCHED_AT_MOST) return;
  seen.add(object);
  if (depth > 0 && typeof object === 'function' && isMere(object)) return;
  const entry = bare({
    object,
    values: [],
    accessors: [],
    count: keys(object).length,
    size: ownKeys(object).length,
    prototype: getPrototypeOf(object),
    isExtensible: isExtensible(object),
  });
  found.push(entry);
  for (const key of ownKeys(object)) {
    const isPrivate = object === process && typeof key === 'string' && key[0] === '_';
    if (CHANGING.has(key) || isPrivate) continue;
    const property = getOwnPropertyDescriptor(object, key);
    if (property.get !== undefined) entry.accessors.push([key, property.get, property.set]);
    if (property.get !== undefined && !(SETTINGS.has(key) && reach.words.has(key))) continue;
    const value = property.get === undefined ? property.value : object[key];
    entry.values.push([key, value]);
    if (depth >= DEPTH || !isObject(value)) continue;
    const isKind = key === 'prototype' || typeof value === 'function';
    const prototype = getPrototypeOf(value);
    const isPlain = prototype === null || prototype === OBJECT || SETTINGS.has(key);
    if (key === 'globalAgent') surveyAgent(value, found, seen);
    else if (isKind || isPlain) survey(value, found, seen, depth + 1);
  }
}

function surveyAgent(agent, found, seen) {
  if (seen.has(agent)) return;
  seen.add(agent);
  const values = SETTINGS_OF_AGENTS.map(key => [key, agent[key]]);
  found.push(bare({ object: agent, values, accessors: [], count: -1, size: -1 }));
  survey(agent.options, found, seen, DEPTH);
}

// A function that tells whether `entries` are as they were. `isPrecise`: changes by other means than assignment count, too.
function checkOf(entries, isPrecise) {
  const [values, others, lines] = [[], [], []];
  entries.forEach(({ values: pairs, count }, index) => {
    for (const [key, value] of pairs) {
      if (value !== value) continue;
      const name = isName(key) ? `.${key}` : `[others[${others.push(key) - 1}]]`;
      lines.push(`o${index}${name} === values[${values.push(value) - 1}]`);
    }
    if (count >= 0) lines.push(isPrecise ? `isAsBefore(entries[${index}])` : `keys(o${index}).length === ${count}`);
  });
  const code = `const [${entries.map((entry, index) => `o${index}`)}] = objects;\nreturn () => ${lines.join(' && ') || true};`;
  const parameters = ['objects', 'values', 'others', 'entries', 'keys', 'isAsBefore'];
  const make = vm.compileFunction(code, parameters, { filename: '<syncano worker>' });
  return make(entries.map(entry => entry.object), values, others, entries, keys, isAsBefore);
}

function isAsBefore(entry) {
  const { object, accessors } = entry;
  if (ownKeys(object).length !== entry.size || getPrototypeOf(object) !== entry.prototype) return false;
  if (isExtensible(object) !== entry.isExtensible) return false;
  for (let index = 0; index < accessors.length; index++) {
    const [key, get, set] = accessors[index];
    const property = getOwnPropertyDescriptor(object, key);
    if (property?.get !== get || property.set !== set) return false;
  }
  return true;
}

// What no name leads to.
function unnamedObjects() {
  const kinds = [function* () {}, async () => {}, async function* () {}].map(getPrototypeOf);
  const iterators = [[].values(), new Map().values(), new Set().values(), ''[Symbol.iterator](), ''.matchAll(/x/g)].map(getPrototypeOf);
  const timers = [setTimeout(() => {}), setImmediate(() => {})];
  clearTimeout(timers[0]);
  clearImmediate(timers[1]);
  const others = [getPrototypeOf(Uint8Array), getPrototypeOf(iterators[0]), Module];
  return [...kinds, ...iterators, ...timers.map(getPrototypeOf), ...others];
}

// What was added by assignment to all objects of a kind shows in a loop over any of them.
const SAMPLES = [[], () => {}, '', 0, false, new Promise(() => {}), /x/, new Map(), new Set(), new Error(), new Date()];

function hasAddedToPrototypes() {
  // What is computed to be a key may be `__proto__`, of a list or an object mostly.
  const count = watch.areAllUnchanged === undefined ? 2 : SAMPLES.length;
  for (let index = 0; index < count; index++) {
    for (const name in SAMPLES[index]) return name !== '';
  }
  return false;
}

// Takes what the script can reach for what it is to be from now on.
function watchAnew() {
  watch.areNamedUnchanged = watch.areAllUnchanged = undefined;
  if ((!reach.writes && !reach.loadsPackages) || IS_FRESH) return;
  const [found, seen, bound] = [[], new Set([globalThis]), []];
  for (const name of ownKeys(globalThis)) {
    if (!reach.words.has(name) || UNWATCHED.has(name)) continue;
    let value;
    try {
      value = globalThis[name];
    } catch {
      // What a package has put there.
      continue;
    }
    bound.push([name, value]);
    survey(value, found, seen);
  }
  for (const [name, exported] of watch.modules) if (isModuleNamed(name)) survey(exported, found, seen);
  if (reach.words.has('require')) survey(requireFromScript, found, seen);
  for (const provided of [HttpResponse, AppError]) if (reach.words.has(provided.name)) survey(provided, found, seen);
  if (reach.isDynamic) for (const object of unnamedObjects()) survey(object, found, seen);
  // The names of the global scope are one more object's.
  found.push(bare({ object: globalThis, values: bound.filter(([name]) => !NAMES.includes(name)), accessors: [], count: -1, size: -1 }));
  watch.areNamedUnchanged = checkOf(found, reach.isPrecise);
  // What packages keep is there from call to call, as what a function's module keeps.
  if (reach.isDynamic || (reach.loadsPackages && !script.isReady)) watch.areAllUnchanged = checkOfAll();
}

// The values of everything that the language has: too many to count the keys of.
function checkOfAll() {
  const [found, seen] = [[], new Set([globalThis])];
  for (const name of ownKeys(globalThis)) {
    const { value } = getOwnPropertyDescriptor(globalThis, name);
    if (isObject(value) && !UNWATCHED.has(name)) survey(value, found, seen, DEPTH - 1);
  }
  for (const entry of found) entry.count = -1;
  return checkOf(found, false);
}

// Whether the text names a module, or computes the names of some.
function isModuleNamed(name) {
  return reach.isDynamic || reach.words.has(name.split('/')[0]);
}

// A module of Node's is loaded for the first time.
function watchModule(name, exported) {
  watch.modules.set(name, exported);
  if (watch.areNamedUnchanged === undefined || !isModuleNamed(name)) return;
  const [found, before] = [[], watch.areNamedUnchanged];
  survey(exported, found, new Set([globalThis]));
  const isUnchanged = checkOf(found, reach.isPrecise);
  watch.areNamedUnchanged = () => before() && isUnchanged();
}

// Whether the script has changed nothing that its next call, or another one, finds.
function isWorldUnchanged() {
  if (watch.areNamedUnchanged === undefined) return true;
  if (!watch.areNamedUnchanged()) return false;
  if ((reach.writesAnyKey || watch.areAllUnchanged !== undefined) && hasAddedToPrototypes()) return false;
  return watch.areAllUnchanged === undefined || watch.areAllUnchanged();
}
