// Serves a call of one script.
//
// A call ends when the script's default function has answered, when Node finds that nothing is pending any more, when the
// script exits, or when nobody catches what it throws. Node tells the last three by events of `process`, and the script's
// own listeners come first.

const state = {
  __proto__: null,
  // The call's number as it came; undefined between two calls.
  number: undefined,
  response: undefined,
  isFunction: false,
  // What has not settled yet and must, in words.
  awaits: undefined,
  // Nothing was pending when Node asked last.
  isIdle: false,
  // The script's listeners have been told of the end.
  isEnding: false,
  hasFailed: false,
  error: undefined,
};

async function serve() {
  const frame = takeFrame();
  const [merged, query, body, main, meta] = takeTexts(frame, NUMBER_SIZE, 5, NUMBER_SIZE + 20);
  state.number = frame.subarray(0, NUMBER_SIZE);
  let values;
  try {
    values = [read(merged), read(query), read(body), read(main), read(meta)];
  } catch (error) {
    fail(new Refused(`the arguments can't be read: ${error.message}`));
  }
  try {
    await compile();
  } catch (error) {
    fail(error);
  }
  // From Node's loop itself, so that what the script throws at once is thrown to nobody else.
  setImmediate(run, ...values);
}

// Ends the call, and the process with it: nothing puts one back between two calls.
function answer(kind, exit, head, body) {
  const { number } = state;
  if (number !== undefined) {
    state.number = undefined;
    try {
      reply(number, kind, exit, head, body);
    } catch {
      // The server is gone, or the script has closed the channel, which the server takes for a failure.
      reallyExit(FAILED);
    }
  }
  reallyExit(exit);
}

// The script has come to its end, and `returned` is what its default function returned.
function succeed(returned) {
  let result;
  try {
    result = answerOf(returned);
  } catch (error) {
    fail(error);
  }
  answer(result.kind, 0, result.head, result.body);
}

// Nobody caught `error`.
function fail(error) {
  printError(error);
  if (!state.hasFailed) {
    state.hasFailed = true;
    state.error = error;
  }
  if (!state.isEnding) {
    state.isEnding = true;
    try {
      process.exitCode = FAILED;
      apply(emit, process, ['exit', FAILED]);
    } catch (another) {
      printError(another);
    }
  }
  answerFailure();
}

function answerFailure() {
  if (!isAppError(state.error)) answer(NOTHING, FAILED, EMPTY, EMPTY);
  let body;
  try {
    body = appErrorToJson(state.error);
  } catch (problem) {
    printError(problem);
    answer(NOTHING, FAILED, EMPTY, EMPTY);
  }
  answer(APP_ERROR, FAILED, EMPTY, body);
}

// The script has exited with `code`, or ended by itself.
function exit(code) {
  if (state.hasFailed) answerFailure();
  const number = typeof code === 'number' || typeof code === 'string' ? code & 0xff : 0;
  if (number !== 0) answer(NOTHING, number, EMPTY, EMPTY);
  state.isFunction = false;
  succeed(undefined);
}

function watchTheEnd() {
  const heard = function (name) {
    if (this === process && name === 'exit') state.isEnding = true;
    const wasHeard = apply(emit, this, arguments);
    if (this !== process) return wasHeard;
    if (name === 'uncaughtException' && !wasHeard) fail(arguments[1]);
    if (name === 'beforeExit') state.isIdle = true;
    if (name === 'exit' && state.isIdle) {
      const { exitCode } = process;
      if (state.awaits !== undefined && exitCode === undefined) {
        fail(new Refused(`${state.awaits} waits for something that can't happen: nothing is pending any more`));
      }
      exit(exitCode);
    }
    return wasHeard;
  };
  define(process, 'emit', heard);
  // Where `process.exit` ends, its listeners told.
  process.reallyExit = exit;
}

const frame = takeFrame();
const SETUP_SIZE = 28;
[script.name, script.config, script.source] = takeTexts(frame, 0, 3, SETUP_SIZE);
script.filename = `<${script.name}>`;
const outputLimit = Number(frame.readBigUInt64LE(12));
const MAX_ANSWER = frame.readUInt32LE(20);
const MAX_HEAD = frame.readUInt32LE(24);

const writeError = capped(2, outputLimit);
redirect('stdout', capped(1, outputLimit));
redirect('stderr', writeError);
process.umask(0o077);
watchTheEnd();
// Node has more to do once what stands on its command line has run: it sets globals of its own.
setImmediate(() => {
  provideGlobals();
  reply(new Uint8Array(NUMBER_SIZE), READY, 0, EMPTY, EMPTY);
  serve();
});
