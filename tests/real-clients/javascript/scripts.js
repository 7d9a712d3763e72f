// Scripts: create, list, change, run, traces, delete.
'use strict';

const assert = require('node:assert/strict');
const { connect, send } = require('../connect');
const { finish, refused, step, until } = require('../steps');

const runtime_name = 'python_library_v5.0';

(async () => {
  const { Script, ScriptTrace } = await connect('scripts-instance');
  let script;

  /** The trace of a run that is over. */
  const finished = (trace, scriptId = script.id) =>
    until(
      () => send(ScriptTrace.please().get({ scriptId, id: trace.id })),
      ({ status }) => !['pending', 'processing'].includes(status),
    );

  await step('create', async () => {
    script = await Script.please().create({
      label: 'adder',
      runtime_name,
      source: "print(ARGS['a'] + ARGS['b'])",
      config: { depth: { is: 2 } },
    });
    assert.equal(typeof script.id, 'number');
    assert.deepEqual(script.config, { depth: { is: 2 } });
  });

  await step('an unknown runtime is refused', async () => {
    await refused(Script.please().create({ label: 'old', runtime_name: 'cobol', source: '' }), 400);
  });

  await step('list', async () => {
    const found = await send(Script.please().list());
    assert.deepEqual(Array.from(found, ({ id }) => id), [script.id]);
  });

  await step('get', async () => {
    assert.equal((await send(Script.please().get({ id: script.id }))).label, 'adder');
    await refused(send(Script.please().get({ id: 987654 })), 404);
  });

  await step('run', async () => {
    const trace = await finished(await script.run({ payload: { a: 20, b: 22 } }));
    assert.equal(trace.status, 'success');
    assert.deepEqual(trace.result, { stdout: '42', stderr: '' });
    assert.ok(trace.executed_at instanceof Date);
  });

  await step('run by id', async () => {
    const trace = await send(Script.please().run({ id: script.id }, { payload: { a: 1, b: 2 } }));
    assert.equal((await finished(trace)).result.stdout, '3');
  });

  await step('traces, the newest first', async () => {
    const traces = await send(ScriptTrace.please().list({ scriptId: script.id }));
    assert.deepEqual(Array.from(traces, ({ result }) => result.stdout), ['3', '42']);
  });

  await step('the runtimes', async () => {
    const runtimes = await send(Script.please().getRuntimes());
    for (const name of ['python3', runtime_name, 'nodejs_library_v1.0']) assert.ok(runtimes[name], name);
  });

  await step('update', async () => {
    await send(Script.please().update({ id: script.id }, { source: "print('changed')" }));
    assert.equal((await finished(await script.run())).result.stdout, 'changed');
  });

  await step('save', async () => {
    const found = await send(Script.please().get({ id: script.id }));
    found.label = 'renamed';
    assert.equal((await found.save()).label, 'renamed');
  });

  await step('delete', async () => {
    await send(Script.please().delete({ id: script.id }));
    assert.deepEqual(Array.from(await send(Script.please().list())), []);
  });

  await step('a script in JavaScript', async () => {
    const { id } = await Script.please().create({
      label: 'shouter',
      runtime_name: 'nodejs_library_v1.0',
      source: 'console.log(ARGS.name.toUpperCase());',
    });
    const trace = await send(Script.please().run({ id }, { payload: { name: 'ada' } }));
    assert.deepEqual((await finished(trace, id)).result, { stdout: 'ADA', stderr: '' });
  });

  finish();
})();
