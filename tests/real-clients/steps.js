// Steps of a program, told to the test that started it: a line of JSON for each, and their number at the end.
'use strict';

let count = 0;

/** A part of the program that passes or fails on its own; those after it go on in any case. */
async function step(name, body) {
  let error = null;
  try {
    await body();
  } catch (caught) {
    const answer = caught.errors ? `\n${caught.status} ${JSON.stringify(caught.errors)}` : '';
    error = `${caught.name}: ${caught.message}\n${caught.stack}${answer}`;
  }
  count += 1;
  console.log(JSON.stringify({ step: name, error }));
}

/** Stands at the end of every program: without it, the test knows that the program ended too early. */
function finish() {
  console.log(JSON.stringify({ steps: count }));
}

/** Asks until the answer is accepted, and returns it. */
async function until(question, accept, seconds = 30) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await question();
    if (accept(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(answer)} after ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The promise must be rejected with this HTTP status; returns the error. */
async function refused(promise, status) {
  let error;
  try {
    await promise;
  } catch (caught) {
    error = caught;
  }
  if (!error) throw new Error(`expected status ${status}, but the request passed`);
  if (error.status !== status) throw error;
  return error;
}

module.exports = { step, finish, until, refused };
