// API keys of an instance: create, list, use, reset, delete.
'use strict';

const assert = require('node:assert/strict');
const { anonymous, connect, send } = require('../connect');
const { finish, refused, step } = require('../steps');

const instanceName = 'keys-instance';

(async () => {
  const { ApiKey } = await connect(instanceName);
  const ids = async () => Array.from(await send(ApiKey.please().list()), ({ id }) => id);
  let key;

  /** The instance, seen with a key of its own. */
  const seen = (api_key) => {
    const holder = anonymous();
    holder.setApiKey(api_key);
    return send(holder.Instance.please().get({ name: instanceName }));
  };

  await step('create', async () => {
    key = await ApiKey.please().create({ description: 'for a phone', ignore_acl: true });
    assert.equal(key.api_key.length, 40);
    assert.equal(key.ignore_acl, true);
  });

  await step('list and get', async () => {
    assert.deepEqual(await ids(), [key.id]);
    assert.equal((await send(ApiKey.please().get({ id: key.id }))).api_key, key.api_key);
  });

  await step('the key opens its instance', async () => {
    assert.equal((await seen(key.api_key)).role, 'api_key');
  });

  await step('the key does not manage sockets', async () => {
    const holder = anonymous();
    holder.setApiKey(key.api_key);
    await refused(send(holder.Socket.please().list({ instanceName })), 403);
  });

  await step('update', async () => {
    await send(ApiKey.please().update({ id: key.id }, { description: 'for a tablet' }));
    assert.equal((await send(ApiKey.please().get({ id: key.id }))).description, 'for a tablet');
  });

  await step('another key', async () => {
    const reset = await send(ApiKey.please().reset({ id: key.id }));
    assert.notEqual(reset.api_key, key.api_key);
    await refused(seen(key.api_key), 403);
    assert.equal((await seen(reset.api_key)).name, instanceName);
  });

  await step('delete', async () => {
    await send(ApiKey.please().delete({ id: key.id }));
    assert.deepEqual(await ids(), []);
  });

  finish();
})();
