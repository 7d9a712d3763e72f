// Custom sockets: create, list, get, change, recheck, conflicts, delete.
'use strict';

const assert = require('node:assert/strict');
const { connect, send } = require('../connect');
const { finish, refused, step, until } = require('../steps');

const runtime_name = 'python_library_v5.0';

(async () => {
  const { Endpoint, Socket } = await connect('sockets-instance');

  const settled = (name) => until(() => send(Socket.please().get({ name })), ({ status }) => status !== 'checking');
  const names = async () => Array.from(await send(Socket.please().list()), ({ name }) => name);
  const definition = (name, endpoint, source) => ({
    name,
    endpoints: { [endpoint]: { calls: [{ type: 'script', name: `${name}_script`, methods: ['GET'] }] } },
    dependencies: [{ type: 'script', name: `${name}_script`, runtime_name, source }],
  });
  const stdout = async (name, endpoint) =>
    (await send(Socket.please().runEndpoint({ socket_name: name, endpoint_name: endpoint, instanceName: 'sockets-instance' })))
      .result.stdout;

  await step('create', async () => {
    const socket = await Socket.please().create(definition('greetings', 'greet', "print('hello')"));
    assert.equal(socket.name, 'greetings');
    assert.equal(typeof socket.status_info, 'string');
  });

  await step('run at once', async () => {
    assert.equal(await stdout('greetings', 'greet'), 'hello');
  });

  await step('get', async () => {
    const socket = await settled('greetings');
    assert.equal(socket.status, 'ok');
    assert.deepEqual(Object.keys(socket.endpoints), ['greet']);
    assert.equal(socket.dependencies[0].source, "print('hello')");
    assert.ok(socket.created_at instanceof Date);
  });

  await step('endpoints and dependencies as objects', async () => {
    const endpoint = Endpoint({ name: 'shout' });
    endpoint.addScriptCall({ name: 'shout_script', methods: ['GET', 'POST'] });
    const socket = Socket({
      name: 'shouting',
      endpointObjects: [endpoint],
      dependencyObjects: [{ label: 'shout_script', runtime_name, source: "print(ARGS['name'].upper())" }],
    });
    await socket.install();
    assert.equal((await settled('shouting')).status, 'ok');
    assert.equal(endpoint.socket_name, 'shouting');
    assert.equal((await endpoint.run('GET', { name: 'ada' })).result.stdout, 'ADA');
    assert.equal((await endpoint.run('POST', { name: 'bob' })).result.stdout, 'BOB');
  });

  await step('list', async () => {
    assert.deepEqual(await names(), ['greetings', 'shouting']);
  });

  await step('a name is taken once', async () => {
    await refused(Socket.please().create(definition('greetings', 'other', 'print(1)')), 400);
  });

  await step('the wrong shape is refused', async () => {
    const error = await refused(Socket.please().create({ name: 'shapeless', endpoints: { e: { calls: 'none' } } }), 400);
    assert.ok(error.errors.endpoints);
  });

  await step('update', async () => {
    const { endpoints, dependencies } = definition('greetings', 'welcome', "print('welcome')");
    const updated = await send(Socket.please().update({ name: 'greetings' }, { endpoints, dependencies }));
    assert.deepEqual(Object.keys(updated.endpoints), ['welcome']);
    assert.equal((await settled('greetings')).status, 'ok');
    assert.equal(await stdout('greetings', 'welcome'), 'welcome');
    await refused(stdout('greetings', 'greet'), 404);
  });

  await step('an endpoint that another socket has', async () => {
    await Socket.please().create(definition('rival', 'welcome', "print('rival')"));
    const rival = await settled('rival');
    assert.equal(rival.status, 'error');
    assert.match(rival.status_info, /welcome/);
  });

  await step('delete', async () => {
    await send(Socket.please().delete({ name: 'greetings' }));
    await refused(send(Socket.please().get({ name: 'greetings' })), 404);
  });

  await step('recheck', async () => {
    const rechecked = await send(Socket.please().recheck({ name: 'rival' }));
    assert.equal(rechecked.name, 'rival');
    assert.equal((await settled('rival')).status, 'ok');
    assert.equal(await stdout('rival', 'welcome'), 'rival');
    assert.equal((await (await settled('rival')).recheck()).status, 'ok');
  });

  finish();
})();
