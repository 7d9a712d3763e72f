// Accounts: log in, log in wrongly, register.
'use strict';

const assert = require('node:assert/strict');
const { anonymous, connect, email, password, send } = require('../connect');
const { finish, refused, step } = require('../steps');

(async () => {
  await step('log in with e-mail and password', async () => {
    const connection = anonymous();
    const account = await connection.Account.login({ email, password });
    assert.equal(account.email, email);
    assert.equal(connection.getAccountKey().length, 40);
  });

  await step('a wrong password is refused', async () => {
    await refused(anonymous().Account.login({ email, password: 'wrong' }), 401);
  });

  await step('the account by its key', async () => {
    const connection = await connect();
    assert.equal((await connection.Account.getUserDetails()).email, email);
  });

  await step('a wrong key is refused', async () => {
    const connection = anonymous();
    connection.setAccountKey('0'.repeat(40));
    await refused(connection.Account.getUserDetails(), 403);
  });

  await step('no key is refused', async () => {
    await refused(send(anonymous().Instance.please().list()), 403);
  });

  await step('register', async () => {
    const connection = anonymous();
    const account = await connection.Account.register({ email: 'newcomer@example.com', password: 'a password' });
    connection.setAccountKey(account.account_key);
    assert.equal((await connection.Account.getUserDetails()).email, 'newcomer@example.com');
    assert.deepEqual(Array.from(await send(connection.Instance.please().list())), []);
  });

  await step('change the account', async () => {
    const connection = await connect();
    assert.equal((await connection.Account.update({ first_name: 'Ada' })).first_name, 'Ada');
  });

  await step('another key', async () => {
    const connection = await connect();
    const before = connection.getAccountKey();
    const account = await connection.Account.resetKey();
    assert.notEqual(account.account_key, before);
    await refused(connection.Account.getUserDetails(), 403);
  });

  finish();
})();
