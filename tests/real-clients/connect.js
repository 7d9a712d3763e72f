// Connections to the server that the environment names. The client itself reads nothing from there.
'use strict';

const Syncano = require('syncano');

const baseUrl = process.env.SYNCANO_APIROOT.replace(/\/$/, '');
const email = process.env.SYNCANO_EMAIL;
const password = process.env.SYNCANO_PASSWORD;

/** A connection without an account. */
function anonymous() {
  return Syncano({ baseUrl, defaults: {} });
}

/** A connection that has logged in; with `instanceName`, into a new instance. */
async function connect(instanceName) {
  const connection = anonymous();
  await connection.Account.login({ email, password });
  if (instanceName) {
    await connection.Instance.please().create({ name: instanceName });
    connection.setInstanceName(instanceName);
  }
  return connection;
}

/** Sends a query. Awaiting the query itself would never end if it failed: its `then` takes one function only. */
function send(query) {
  return query.then((result) => result);
}

module.exports = { anonymous, baseUrl, connect, email, password, send };
