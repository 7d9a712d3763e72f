'use strict';
// The channel to the server, standard output and error.
//
// This is the first of the parts that make up a worker's program, joined in the order that `node.rs` lists. They share one
// function's scope, which no script can name. A script may change every object that it can reach, so what is needed after it has
// started is taken hold of here, before; what runs then uses no method of an object that is not ours.
//
// The server sends frames over CHANNEL, a socket, and calls as messages of CALLS, another one, where more than one may wait;
// standard output and error are files in memory whose other end the server reads, so nothing that a script prints can be taken
// for an answer.
//
//     server -> worker   setup    <length> name, config, source, each with its length or ABSENT, and numbers: see `protocol.rs`
//                        call     <length> number, then five JSON texts, each with its length or ABSENT; over CHANNEL if it is
//                                 large, which a message of one byte says, and after a reply that says PAUSED
//     worker -> server   reply    number, kind, flags, exit, lengths of head and body; head; body
//
// All integers are little endian. A worker answers exactly once per call and echoes the call's number.

const { process, console, Function, Promise, RangeError, Symbol, SyntaxError, Uint8Array, setImmediate } = globalThis;
const fs = require('fs');
const util = require('util');
const vm = require('vm');
const { createRequire, isBuiltin, builtinModules, Module } = require('module');
const { pathToFileURL } = require('url');

const { readSync, writeSync } = fs;
const { inspect } = util;
const { isNativeError, isPromise, isAnyArrayBuffer } = util.types;
const { apply, construct, ownKeys } = Reflect;
const { defineProperty, keys, create, setPrototypeOf } = Object;
const { isArray } = Array;
const { isFinite } = Number;
const { parse, stringify } = JSON;
const { isView } = ArrayBuffer;
const method = Function.prototype.bind.bind(Function.prototype.call);
const indexOf = method(String.prototype.indexOf);
const slice = method(String.prototype.slice);
const startsWith = method(String.prototype.startsWith);
const trimStart = method(String.prototype.trimStart);
const encode = method(TextEncoder.prototype.encode, new TextEncoder());
const subarray = method(Uint8Array.prototype.subarray);
const copyInto = method(Uint8Array.prototype.set);
const readLength = method(Buffer.prototype.readUInt32LE);
const toText = method(Buffer.prototype.toString);
const emit = process.emit;

const { listenerCount } = process;
const now = performance.now.bind(performance);
const isHeard = name => apply(listenerCount, process, [name]) > 0;
const reallyExit = process.reallyExit.bind(process);

const RECYCLE = 1;
// The call has left something for the server to see to before the next one: what it printed, or a descriptor.
const PAUSED = 2;
// It took less than QUICKLY, in milliseconds: others may wait for such a one.
const QUICK = 4;
const QUICKLY = 0.25;
const ABSENT = 0xffffffff;
const NUMBER_SIZE = 8;
// The texts of a call.
const [MERGED, QUERY, BODY, MAIN, META] = [0, 1, 2, 3, 4];
const TEXTS = 5;
const REPLY_SIZE = 20;

const [READY, NOTHING, VALUE, RESPONSE, APP_ERROR] = [0, 1, 2, 3, 4];

const FAILED = 1;

// An object that inherits nothing, so that no script can have put anything into it. A literal with `__proto__: null` is one too,
// but the engine keeps that as a table, which it reads and makes many times slower.
function bare(properties) {
  const object = new Bare();
  for (const name of keys(properties)) object[name] = properties[name];
  return object;
}

function Bare() {}
Bare.prototype = create(null);

const BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

// Reads into `data` from `start` on. Without what the server sends by, whoever has closed it, there is nothing to do, and nothing
// that succeeds.
function readMore(data, start, descriptor = CHANNEL) {
  let count = 0;
  try {
    count = readSync(descriptor, data, start, data.length - start, null);
  } catch {
    // A script has closed it.
  }
  if (count === 0) reallyExit(FAILED);
  return count;
}

// The next call, until the one after it. Those stay where they are, so that the server can take them back.
function takeCall(isPaused) {
  if (isPaused) return takeFrame();
  const count = readMore(BUFFER, 0, CALLS);
  return count > 1 ? subarray(BUFFER, 4, count) : takeFrame();
}

// The next frame, until the one after it: there is none before this one has been answered. One that isn't large takes one
// system call and no memory.
function takeFrame() {
  let data = BUFFER;
  let count = 0;
  while (count < 4) count += readMore(data, count);
  const size = 4 + readLength(data, 0);
  if (size > data.length) {
    data = Buffer.allocUnsafeSlow(size);
    BUFFER.copy(data, 0, 0, count);
  }
  while (count < size) count += readMore(data, count);
  return subarray(data, 4, size);
}

// One of the texts of a frame: their lengths stand at `offset`, they themselves after `start`; undefined for an absent one.
function textAt(frame, offset, index, start) {
  let length;
  for (let at = 0; at <= index; at++) {
    if (at > 0 && length !== ABSENT) start += length;
    length = readLength(frame, offset + 4 * at);
  }
  return length === ABSENT ? undefined : toText(frame, 'utf8', start, start + length);
}

const EMPTY = new Uint8Array(0);
const REPLY = new Uint8Array(16 * 1024);

function reply(number, kind, flags, exit, head, body) {
  const size = REPLY_SIZE + head.length + body.length;
  const data = size > REPLY.length ? new Uint8Array(size) : REPLY;
  for (let index = 0; index < NUMBER_SIZE; index++) data[index] = number[index];
  data[8] = kind;
  data[9] = flags;
  data[10] = exit & 0xff;
  for (let index = 0; index < 4; index++) {
    data[12 + index] = head.length >>> (8 * index);
    data[16 + index] = body.length >>> (8 * index);
  }
  copyInto(data, head, REPLY_SIZE);
  copyInto(data, body, REPLY_SIZE + head.length);
  // At once, so that whoever reads it need not come back for more.
  writeAll(CHANNEL, data, size);
}

function writeAll(descriptor, bytes, size) {
  for (let written = 0; written < size; ) written += writeSync(descriptor, bytes, written, size - written, null);
}

// One of the two outputs: passes on the first `limit` bytes of a call and drops the rest.
class Output {
  #left = 0;
  // What Node makes of it when it is first asked for, and how that was then.
  #stream;
  #before;

  // Nothing has been written since the call began.
  isSilent = true;

  constructor(descriptor, name) {
    this.descriptor = descriptor;
    const { get } = Object.getOwnPropertyDescriptor(process, name);
    const made = () => {
      // Its class is one that can be made of any descriptor.
      traces.reachesFiles = true;
      if (this.#stream === undefined) {
        this.#stream = apply(get, process, []);
        this.#stream._write = (chunk, encoding, done) => {
          this.write(chunk);
          done();
        };
        this.#before = this.#now();
      }
      return this.#stream;
    };
    defineProperty(process, name, { configurable: true, enumerable: true, get: made });
  }

  #now() {
    const { _write, write, _events, _eventsCount, destroyed, writableEnded, writableCorked, writableLength } = this.#stream;
    return [_write, write, _events, _eventsCount, destroyed, writableEnded, writableCorked, writableLength];
  }

  write(bytes) {
    this.isSilent = false;
    const kept = bytes.length > this.#left ? subarray(bytes, 0, this.#left) : bytes;
    this.#left -= kept.length;
    try {
      writeAll(this.descriptor, kept, kept.length);
    } catch {
      // Full (the script wrote past us) or closed by the script: what is printed now has no reader.
      this.#left = 0;
    }
  }

  // Another call begins.
  open(limit) {
    this.#left = limit;
    this.isSilent = true;
  }

  // What is printed from now on belongs to no call.
  close() {
    this.#left = 0;
  }

  // Whether the script has left it as it was.
  isUnchanged() {
    if (this.#stream === undefined) return true;
    const now = this.#now();
    for (let index = 0; index < now.length; index++) if (now[index] !== this.#before[index]) return false;
    return true;
  }
}
