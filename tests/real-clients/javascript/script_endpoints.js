// Script endpoints: create, list, change, run, traces, delete.
'use strict';

const assert = require('node:assert/strict');
const { connect, send } = require('../connect');
const { finish, refused, step } = require('../steps');

const runtime_name = 'python_library_v5.0';

(async () => {
  const { Script, ScriptEndpoint, ScriptEndpointTrace } = await connect('script-endpoints');
  let endpoint;
  let script;

  const create = async (name, source) => {
    const { id } = await Script.please().create({ label: name, runtime_name, source });
    return ScriptEndpoint.please().create({ name, script: id });
  };

  await step('create', async () => {
    endpoint = await create('hello', "print('Hello', ARGS.get('name'))");
    script = endpoint.script;
    assert.equal(endpoint.name, 'hello');
  });

  await step('a name is taken once', async () => {
    await refused(ScriptEndpoint.please().create({ name: 'hello', script }), 400);
  });

  await step('list', async () => {
    const found = await send(ScriptEndpoint.please().list());
    assert.deepEqual(Array.from(found, ({ name }) => name), ['hello']);
  });

  await step('get', async () => {
    assert.equal((await send(ScriptEndpoint.please().get({ name: 'hello' }))).script, script);
    await refused(send(ScriptEndpoint.please().get({ name: 'nothing' })), 404);
  });

  await step('run', async () => {
    const trace = await endpoint.run({ name: 'Ada' });
    assert.equal(trace.status, 'success');
    assert.deepEqual(trace.result, { stdout: 'Hello Ada', stderr: '' });
  });

  await step('run by name', async () => {
    assert.equal((await ScriptEndpoint.please().run({ name: 'hello' }, { name: 'Bob' })).result.stdout, 'Hello Bob');
  });

  await step('what the transport adds stays out of the script', async () => {
    const keys = await create('keys-of-args', "print(sorted(ARGS), sorted(ARGS['POST']), sorted(ARGS['GET']))");
    assert.equal((await keys.run({ a: 1 })).result.stdout, "['GET', 'POST', 'a'] ['a'] []");
  });

  await step('a run that fails', async () => {
    const failing = await create('failing', '1 / 0');
    const trace = await failing.run();
    assert.equal(trace.status, 'failure');
    assert.match(trace.result.stderr, /ZeroDivisionError/);
  });

  await step('traces, the newest first', async () => {
    const traces = await send(ScriptEndpointTrace.please().list({ scriptEndpointName: 'hello' }));
    assert.deepEqual(Array.from(traces, ({ result }) => result.stdout), ['Hello Bob', 'Hello Ada']);
    const { id } = traces[1];
    const trace = await send(ScriptEndpointTrace.please().get({ scriptEndpointName: 'hello', id }));
    assert.equal(trace.result.stdout, 'Hello Ada');
  });

  await step('update', async () => {
    await send(ScriptEndpoint.please().update({ name: 'hello' }, { description: 'says hello' }));
    assert.equal((await send(ScriptEndpoint.please().get({ name: 'hello' }))).description, 'says hello');
  });

  await step('save', async () => {
    const found = await send(ScriptEndpoint.please().get({ name: 'hello' }));
    found.description = 'greets';
    assert.equal((await found.save()).description, 'greets');
  });

  await step('delete', async () => {
    await send(ScriptEndpoint.please().delete({ name: 'hello' }));
    const found = await send(ScriptEndpoint.please().list());
    assert.deepEqual(Array.from(found, ({ name }) => name).sort(), ['failing', 'keys-of-args']);
  });

  finish();
})();
