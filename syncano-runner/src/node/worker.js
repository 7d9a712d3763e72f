// Serves the calls of one script, one after the other, for as long as the server wants.
//
// A call ends when the script's default function has answered, when Node finds that nothing is pending any more, when the
// script exits, or when nobody catches what it throws. Node tells the last three by events of `process`, and the script's
// own listeners come first. Between two calls the process waits in a system call: nothing of a script can run then.

// Before the first one there is none to answer.
const state = bare({ isAnswered: true });

// The number of the call.
const NUMBER = new Uint8Array(NUMBER_SIZE);

function begin(frame) {
  state.start = now();
  for (let index = 0; index < NUMBER_SIZE; index++) NUMBER[index] = frame[index];
  state.isAnswered = false;
  state.response = undefined;
  state.isFunction = false;
  // The function that is the program's value has been called, and returned something that nobody gets.
  state.hasCalled = false;
  state.isDropped = false;
  // What a module exports that has no default function.
  state.namespace = undefined;
  // What has not settled yet and must, in words.
  state.awaits = undefined;
  // The script's listeners have been told of the end.
  state.isEnding = false;
  state.hasFailed = false;
  state.error = undefined;
  // The process ends with the call.
  state.isLeaving = false;
  // What the call answers, once that is certain.
  state.answer = undefined;
  stdout.open(OUTPUT_LIMIT);
  stderr.open(OUTPUT_LIMIT);
}

// To be called from Node's loop, whose turns the calls share: one ends and the next begins.
function serve() {
  const frame = takeCall(state.isPaused);
  begin(frame);
  given = new Given(frame);
  // From the loop itself, so that what the script throws at once is thrown to nobody else.
  if (script.program !== undefined || script.module !== undefined) run();
  else prepare();
}

async function prepare() {
  try {
    if (script.source === undefined) {
      await checkAll(named());
      decide(NOTHING, 0, EMPTY, EMPTY);
      return;
    }
    await compile();
  } catch (error) {
    fail(error);
    return;
  }
  setImmediate(run);
}

// Settles what the call answers. What the script still does is heard by nobody.
function decide(kind, exit, head, body) {
  const isFirst = state.answer === undefined;
  if (isFirst) state.answer = new Answer(kind, exit, head, body);
  stdout.close();
  stderr.close();
  if (state.isLeaving) answer(false);
  // What is queued already runs first: it is this call's.
  else if (isFirst) setImmediate(conclude);
}

function conclude() {
  // What is closed is told to whoever has it before the next call can use it.
  if (closeConnections()) return setImmediate(conclude);
  let isClean = false;
  try {
    // One that serves no other call has nothing to put back.
    isClean = !IS_FRESH && cleanUp();
  } catch {
    // What a script has made of the process; a new one is better.
  }
  answer(isClean);
}

function answer(isClean) {
  const { answer } = state;
  if (!state.isAnswered) {
    state.isAnswered = true;
    try {
      state.isPaused = isClean && !isSilent();
      const flags = isClean ? (state.isPaused ? PAUSED : 0) | (now() - state.start < QUICKLY ? QUICK : 0) : RECYCLE;
      reply(NUMBER, answer.kind, flags, answer.exit, answer.head, answer.body);
    } catch {
      // The server is gone, or the script has closed the channel, which the server takes for a failure.
      reallyExit(FAILED);
    }
  }
  if (!isClean) reallyExit(answer.exit);
  serve();
}

// The script has come to its end, and `returned` is what its default function returned.
function succeed(returned) {
  let result;
  try {
    result = answerOf(returned);
  } catch (error) {
    fail(error);
    return;
  }
  decide(result.kind, 0, result.head, result.body);
}

// Nobody caught `error`.
function fail(error) {
  printError(error);
  if (!state.hasFailed) {
    state.hasFailed = true;
    state.error = error;
  }
  if (!state.isEnding) {
    try {
      process.exitCode = FAILED;
      tellTheEnd(FAILED);
    } catch (another) {
      printError(another);
    }
  }
  decideFailure();
}

// Tells the script's own listeners.
function tellTheEnd(code) {
  state.isEnding = true;
  if (isHeard('exit')) apply(emit, process, ['exit', code]);
}

function decideFailure() {
  if (isAppError(state.error)) {
    try {
      const body = appErrorToJson(state.error);
      decide(APP_ERROR, FAILED, EMPTY, body);
      return;
    } catch (problem) {
      printError(problem);
    }
  }
  decide(NOTHING, FAILED, EMPTY, EMPTY);
}

// The script has ended by itself or exited, with `code`.
function finish(code) {
  if (state.hasFailed) return decideFailure();
  const number = typeof code === 'number' || typeof code === 'string' ? code & 0xff : 0;
  if (number !== 0) return decide(NOTHING, number, EMPTY, EMPTY);
  state.isFunction = false;
  try {
    warnOfNothing();
  } catch {
    // A getter of the script's among what it exports.
  }
  succeed(undefined);
}

// Where `process.exit` ends, its listeners told. It must not return.
function leave(code) {
  state.isLeaving = true;
  if (state.answer === undefined) finish(code);
  answer(false);
}

// If something is pending, Node will say when that has ended.
function endIfIdle() {
  if (state.answer === undefined && apply(getActiveResourcesInfo, process, []).length === 0) end();
}

// Nothing is pending any more.
function end() {
  const { exitCode } = process;
  if (state.awaits !== undefined && exitCode === undefined) {
    fail(new Refused(`${state.awaits} waits for something that can't happen: nothing is pending any more`));
    return;
  }
  try {
    // Else a listener that exits would be told once more.
    process._exiting = true;
    tellTheEnd(exitCode ?? 0);
  } catch (error) {
    fail(error);
    return;
  }
  finish(process.exitCode);
}

function watchTheEnd() {
  const heard = function (name) {
    if (this === process && name === 'exit') state.isEnding = true;
    const wasHeard = apply(emit, this, arguments);
    if (this !== process) return wasHeard;
    if (name === 'uncaughtException' && !wasHeard) {
      state.isLeaving = true;
      if (state.answer !== undefined) answer(false);
      fail(arguments[1]);
    }
    // A package waits for something that can't happen.
    if (name === 'beforeExit' && state.isPreloading) setImmediate(beReady);
    else if (name === 'beforeExit') {
      // A listener may have started something.
      if (wasHeard) setImmediate(endIfIdle);
      else end();
    }
    return wasHeard;
  };
  define(process, 'emit', heard);
  process.reallyExit = leave;
}

const stdout = new Output(1, 'stdout');
const stderr = new Output(2, 'stderr');
let OUTPUT_LIMIT, MAX_ANSWER, MAX_HEAD, IS_FRESH;
umask(0o077);
watchTheEnd();
// Node has more to do once what stands on its command line has run: it sets globals of its own.
setImmediate(() => {
  provideGlobals();
  provideNetwork();
  noticeWhatLasts();
  noticeWriting();
  noticeChangesOfEnvironment();
  takeBaseline();
  // What the first call would have to wait for; nobody hears it.
  console.log('');
  cleanUp();
  traces.reachesFiles = false;
  // A process that was started ahead waits here for its script.
  const frame = takeFrame();
  OUTPUT_LIMIT = Number(frame.readBigUInt64LE(12));
  MAX_ANSWER = frame.readUInt32LE(20);
  MAX_HEAD = frame.readUInt32LE(24);
  IS_FRESH = frame.readUInt32LE(28) !== 0;
  load(textAt(frame, 0, 0, 32), textAt(frame, 0, 1, 32), textAt(frame, 0, 2, 32));
  watchAnew();
  preload();
});

// Loads what the script begins with, and is ready when that has come to an end, whichever. The only call of a process may as
// well do that itself.
async function preload() {
  if (packages.folder !== undefined && !IS_FRESH) {
    state.isPreloading = true;
    stdout.open(OUTPUT_LIMIT);
    stderr.open(OUTPUT_LIMIT);
    await preloadPackages(script.source);
    if (!state.isPreloading) return;
  }
  beReady();
}

function beReady() {
  if (state.isPreloading) {
    state.isPreloading = false;
    // What packages have changed is there to stay.
    traces.isLasting = traces.hasSet = traces.hasChangedEnvironment = false;
    takeBaseline();
    watchAnew();
  }
  reply(new Uint8Array(NUMBER_SIZE), READY, 0, 0, EMPTY, EMPTY);
  serve();
}
