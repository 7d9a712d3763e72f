"""Accounts: log in, log in wrongly, register. Address, e-mail and password come from the environment, as the client has it."""

import os

import syncano
from syncano.connection import Connection
from syncano.exceptions import SyncanoRequestError

from steps import equal, finish, raises, step

EMAIL = os.environ["SYNCANO_EMAIL"]

with step("log in with e-mail and password"):
    key = syncano.connect().connection().authenticate()
    equal(len(key), 40)

with step("a wrong password is refused"), raises(SyncanoRequestError, 401):
    Connection(password="wrong").authenticate()

with step("an unknown e-mail is refused"), raises(SyncanoRequestError, 401):
    Connection(email="nobody@example.com").authenticate()

with step("the account by its key"):
    account = Connection(email=None, password=None).get_account_info(api_key=key)
    equal(account["email"], EMAIL)

with step("a wrong key is refused"), raises(SyncanoRequestError, 403):
    Connection().get_account_info(api_key="0" * 40)

with step("register"):
    newcomer = Connection(email=None, password=None)
    other_key = newcomer.register(email="newcomer@example.com", password="a password", first_name="New")
    assert other_key != key
    equal(newcomer.get_account_info()["first_name"], "New")

with step("an e-mail registers once"), raises(SyncanoRequestError, 400):
    Connection(email=None, password=None).register(email="newcomer@example.com", password="a password")

with step("one account doesn't see the instances of another"):
    syncano.connect().Instance.please.create(name="mine-alone")
    with raises(SyncanoRequestError, 404):
        newcomer.request("GET", "/v1.1/instances/mine-alone/")
    equal(newcomer.request("GET", "/v1.1/instances/")["objects"], [])

finish()
