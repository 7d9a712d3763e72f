// What was given to a call: `ARGS`, `CONFIG`, `META`, and the arguments of the default function.

// That of the call that runs. Few functions ask for `ARGS`, so it is read when somebody does.
let given = bare({ args: undefined, config: undefined, meta: undefined });

const UNREAD = Symbol('unread');

class Given {
  constructor(frame) {
    // It stays until the call has been answered.
    this.frame = frame;
    this.args = this.config = this.meta = UNREAD;
  }
}
setPrototypeOf(Given.prototype, null);

function givenText(index) {
  return textAt(given.frame, NUMBER_SIZE, index, NUMBER_SIZE + 4 * TEXTS);
}

function givenValue(index) {
  const text = givenText(index);
  return text === undefined ? undefined : read(text);
}

function read(text) {
  try {
    return parse(text);
  } catch (error) {
    throw error instanceof SyntaxError ? new Refused(`the arguments can't be read: ${error.message}`) : error;
  }
}

const isGiven = index => readLength(given.frame, NUMBER_SIZE + 4 * index) !== ABSENT;

// The named arguments of the default function.
function named() {
  if (isGiven(MAIN)) return givenValue(MAIN);
  return isGiven(QUERY) || isGiven(BODY) ? givenValue(MERGED) : givenArgs();
}

function readArgs() {
  const merged = givenValue(MERGED);
  if (!isGiven(QUERY) && !isGiven(BODY)) return merged;
  const query = givenValue(QUERY);
  const body = givenValue(BODY);
  const args = isArray(merged) ? {} : copyOf(merged);
  args.POST = body ?? {};
  args.GET = query ?? {};
  return args;
}

const givenArgs = () => (given.args === UNREAD ? (given.args = readArgs()) : given.args);
const givenConfig = () => (given.config === UNREAD ? (given.config = parse(script.config)) : given.config);
const givenMeta = () => (given.meta === UNREAD ? (given.meta = meta.read(givenText(META))) : given.meta);

// The value of a text that is often the one of the call before: a literal is copied in a fraction of the time that reading takes.
class Repeated {
  #text;
  #times = 0;
  #copy;

  read(text) {
    if (text === this.#text && this.#copy !== undefined) {
      const copy = this.#copy;
      return copy();
    }
    const value = read(text);
    if (text !== this.#text) {
      this.#text = text;
      this.#times = 0;
      this.#copy = undefined;
    } else if (++this.#times === COMPILED_AFTER) {
      this.#copy = literal(text);
    }
    return value;
  }
}

const COMPILED_AFTER = 8;

// A function that returns the value of a JSON text, or nothing. JSON is JavaScript, but for one name.
function literal(text) {
  if (indexOf(text, '__proto__') >= 0 || indexOf(text, '\\u') >= 0) return undefined;
  try {
    return Function(`return (${text}\n)`);
  } catch {
    // It is too deep for that.
    return undefined;
  }
}

const meta = new Repeated();

// Once for all calls, and for good.
function provideGiven() {
  const provide = (name, get, set) => defineProperty(globalThis, name, bare({ get, set, enumerable: false, configurable: false }));
  provide('ARGS', givenArgs, value => (given.args = value));
  provide('CONFIG', givenConfig, value => (given.config = value));
  provide('META', givenMeta, value => (given.meta = value));
}

// As `{ ...object }`, after which the engine would need microseconds for each property that is added.
function copyOf(object) {
  const copy = {};
  const names = keys(object);
  for (let index = 0; index < names.length; index++) {
    const name = names[index];
    // To assign what every object has would be to give it a prototype, or what a script has made of that.
    if (name in copy) define(copy, name, object[name], true);
    else copy[name] = object[name];
  }
  return copy;
}
