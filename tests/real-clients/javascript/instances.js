// Instances: create, list, change, rename, configure, delete.
'use strict';

const assert = require('node:assert/strict');
const { connect, send } = require('../connect');
const { finish, refused, step } = require('../steps');

(async () => {
  const { Instance } = await connect();

  await step('create', async () => {
    const instance = await Instance.please().create({ name: 'first-instance', description: 'the first' });
    assert.equal(instance.description, 'the first');
    assert.ok(instance.created_at instanceof Date);
  });

  await step('a name is taken once', async () => {
    const error = await refused(Instance.please().create({ name: 'first-instance' }), 400);
    assert.ok(error.errors.name);
  });

  await step('list', async () => {
    await Instance({ name: 'second-instance' }).save();
    const names = Array.from(await send(Instance.please().list()), (found) => found.name);
    assert.deepEqual(names, ['first-instance', 'second-instance']);
  });

  await step('list page by page', async () => {
    const first = await send(Instance.please().list().pageSize(1));
    assert.deepEqual(Array.from(first, (found) => found.name), ['first-instance']);
    assert.equal(first.hasNext(), true);
    const second = await first.next();
    assert.deepEqual(Array.from(second, (found) => found.name), ['second-instance']);
  });

  await step('get', async () => {
    const found = await send(Instance.please().get({ name: 'first-instance' }));
    assert.equal(found.description, 'the first');
    assert.equal(found.role, 'full');
  });

  await step('one that does not exist', async () => {
    await refused(send(Instance.please().get({ name: 'no-such-instance' })), 404);
  });

  await step('update', async () => {
    await send(Instance.please().update({ name: 'first-instance' }, { description: 'changed', metadata: { colour: 'blue' } }));
    const found = await send(Instance.please().get({ name: 'first-instance' }));
    assert.equal(found.description, 'changed');
    assert.deepEqual(found.metadata, { colour: 'blue' });
  });

  await step('save', async () => {
    const found = await send(Instance.please().get({ name: 'first-instance' }));
    found.description = 'saved';
    assert.equal((await found.save()).description, 'saved');
  });

  await step('configuration', async () => {
    const found = await send(Instance.please().get({ name: 'first-instance' }));
    await found.setGlobalConfig({ greeting: 'Hello', depth: { is: [1, 2] } });
    assert.deepEqual((await found.getGlobalConfig()).config, { greeting: 'Hello', depth: { is: [1, 2] } });
  });

  await step('rename', async () => {
    const renamed = await send(Instance.please().rename({ name: 'first-instance' }, { new_name: 'renamed-instance' }));
    assert.equal(renamed.name, 'renamed-instance');
    await refused(send(Instance.please().get({ name: 'first-instance' })), 404);
    assert.equal((await renamed.getGlobalConfig()).config.greeting, 'Hello');
  });

  await step('delete', async () => {
    await send(Instance.please().delete({ name: 'second-instance' }));
    await (await send(Instance.please().get({ name: 'renamed-instance' }))).delete();
    assert.deepEqual(Array.from(await send(Instance.please().list())), []);
  });

  finish();
})();
