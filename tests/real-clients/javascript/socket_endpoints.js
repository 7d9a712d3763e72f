// Endpoints of sockets: list, runs by method, data, responses, traces.
'use strict';

const assert = require('node:assert/strict');
const { anonymous, connect, send } = require('../connect');
const { finish, refused, step } = require('../steps');

const instanceName = 'endpoints-instance';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

(async () => {
  const { Endpoint, EndpointTrace, Socket } = await connect(instanceName);

  const run = (endpoint_name, method, payload) =>
    send(Socket.please().runEndpoint({ socket_name: 'shop', endpoint_name, instanceName }, method, payload));

  await step('install', async () => {
    const sources = {
      items: "print('read', ARGS.get('id'))",
      add: "print(sorted(ARGS), ARGS['POST'].get('name'))",
      anything: "print(META['request']['REQUEST_METHOD'], ARGS.get('name'))",
      keys: "print(sorted(ARGS), sorted(ARGS['POST']), sorted(ARGS['GET']))",
      number: 'set_response(HttpResponse(201, \'{"number": 5}\', "application/json"))',
      broken: '1 / 0',
      shop: "print('the endpoint of the same name')",
    };
    const methods = { items: ['GET'], add: ['POST'], anything: ['*'], keys: ['*'], number: ['GET'], broken: ['GET'], shop: ['GET'] };
    const socket = await Socket.please().create({
      name: 'shop',
      endpoints: Object.fromEntries(
        Object.keys(sources).map((name) => [name, { calls: [{ type: 'script', name, methods: methods[name] }] }]),
      ),
      dependencies: Object.entries(sources).map(([name, source]) => ({
        type: 'script',
        name,
        runtime_name: 'python_library_v5.0',
        source,
      })),
    });
    assert.equal(socket.status, 'ok');
  });

  // One of them has the name of the socket, so the address of this list could also be read as its run.
  await step('list', async () => {
    const found = Array.from(await Endpoint.please().list({ socket_name: 'shop', instanceName }));
    const allowed = new Map(found.map(({ name, allowed_methods }) => [name.replace(/^shop\//, ''), allowed_methods.sort()]));
    assert.deepEqual([...allowed.keys()].sort(), ['add', 'anything', 'broken', 'items', 'keys', 'number', 'shop']);
    assert.deepEqual(allowed.get('anything'), [...METHODS].sort());
    assert.deepEqual(allowed.get('items'), ['GET']);
  });

  await step('run with GET', async () => {
    assert.equal((await run('items')).result.stdout, 'read None');
    assert.equal((await run('items', 'GET', { id: 7 })).result.stdout, 'read 7');
  });

  await step('run with POST', async () => {
    assert.equal((await run('add', 'POST', { name: 'Ada' })).result.stdout, "['GET', 'POST', 'name'] Ada");
  });

  await step('a wildcard answers every method', async () => {
    for (const method of METHODS) {
      assert.equal((await run('anything', method, { name: 'Ada' })).result.stdout, `${method} Ada`);
    }
  });

  await step('what the transport adds stays out of the script', async () => {
    assert.equal((await run('keys', 'POST', { a: 1 })).result.stdout, "['GET', 'POST', 'a'] ['a'] []");
    assert.equal((await run('keys', 'GET', { a: 1 })).result.stdout, "['GET', 'POST', 'a'] [] ['a']");
    assert.equal((await run('keys', 'DELETE', {})).result.stdout, "['GET', 'POST'] [] []");
  });

  await step('a method that the endpoint does not list', async () => {
    await refused(run('items', 'POST', {}), 405);
  });

  await step('an endpoint that does not exist', async () => {
    await refused(run('nothing'), 404);
  });

  await step('JSON as a response', async () => {
    assert.deepEqual(await run('number'), { number: 5 });
  });

  await step('a run that fails', async () => {
    assert.equal((await run('broken')).status, 'failure');
  });

  await step('run without a key', async () => {
    const stranger = anonymous();
    const answer = await send(
      stranger.Endpoint.please().run({ socket_name: 'shop', endpoint_name: 'items', instanceName }, 'GET', { id: 1 }),
    );
    assert.equal(answer.result.stdout, 'read 1');
  });

  await step('traces, the newest first', async () => {
    const where = { socketName: 'shop', endpointName: 'items', instanceName };
    const traces = await send(EndpointTrace.please().list(where));
    const ids = Array.from(traces, ({ id }) => id);
    assert.equal(ids.length, 3);
    assert.deepEqual([...ids].sort((one, other) => other - one), ids);
    const trace = await send(EndpointTrace.please().get({ ...where, id: ids[2] }));
    assert.deepEqual(trace.result, { stdout: 'read None', stderr: '' });
    assert.ok(trace.executed_at instanceof Date);
  });

  finish();
})();
