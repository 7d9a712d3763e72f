// A socket whose definition and scripts the server fetches.
'use strict';

const assert = require('node:assert/strict');
const { connect, send } = require('../connect');
const { finish, refused, step, until } = require('../steps');

const url = process.env.SOCKET_URL;
const instanceName = 'urls-instance';

(async () => {
  const { Socket } = await connect(instanceName);
  const settled = (name) => until(() => send(Socket.please().get({ name })), ({ status }) => status !== 'checking');

  await step('install', async () => {
    await send(Socket.please().installFromUrl({}, 'fetched', url));
    const socket = await settled('fetched');
    assert.deepEqual([socket.status, socket.status_info], ['ok', '']);
    assert.deepEqual(Object.keys(socket.endpoints).sort(), ['count', 'greet']);
  });

  await step('run', async () => {
    const run = (method, payload) =>
      send(Socket.please().runEndpoint({ socket_name: 'fetched', endpoint_name: 'count', instanceName }, method, payload));
    assert.equal((await run('GET')).result.stdout, '1');
    assert.equal((await run('POST', { from: 5 })).result.stdout, '4');
  });

  await step('an address without a definition', async () => {
    await send(Socket.please().installFromUrl({}, 'lost', url.replace('socket.yml', 'nothing.yml')));
    assert.equal((await settled('lost')).status, 'error');
  });

  await step('an address is needed', async () => {
    await refused(send(Socket.please().installFromUrl({}, 'nowhere', '')), 400);
  });

  finish();
})();
