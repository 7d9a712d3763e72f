"""API keys of an instance: create, list, use, delete."""

import requests
import syncano
from syncano.connection import Connection
from syncano.exceptions import SyncanoRequestError
from syncano.models import ApiKey, CustomSocket, Instance

from steps import contains, equal, finish, raises, step

registry = syncano.connect()
connection = registry.connection()
Instance.please.create(name="keys-instance")
Instance.please.create(name="other-instance")
registry.set_used_instance("keys-instance")
FOLDER = "/v1.1/instances/keys-instance"

with step("create"):
    key = ApiKey.please.create(description="for a phone", ignore_acl=True)
    equal((key.description, key.ignore_acl), ("for a phone", True))
    equal((key.allow_user_create, key.allow_anonymous_read), (False, False))
    equal(len(key.api_key), 40)

with step("list"):
    second = ApiKey.please.create(description="another")
    equal([found.id for found in ApiKey.please.all()], [key.id, second.id])

with step("get"):
    equal(ApiKey.please.get(id=key.id).api_key, key.api_key)

with step("the key opens its instance"):
    holder = Connection(api_key=key.api_key, email=None, password=None)
    found = Instance.please.using(holder).get(name="keys-instance")
    equal(found.role, "api_key")

with step("the key opens no other instance"), raises(SyncanoRequestError, 403):
    holder.request("GET", "/v1.1/instances/other-instance/")

with step("the key manages neither scripts nor sockets"):
    for path in (f"{FOLDER}/sockets/", f"{FOLDER}/snippets/scripts/", f"{FOLDER}/endpoints/scripts/"):
        with raises(SyncanoRequestError, 403):
            holder.request("GET", path)

with step("the key runs a private endpoint, nobody else does"):
    CustomSocket.please.create(
        name="secretive",
        endpoints={
            "secret": {"calls": [{"type": "script", "name": "secret", "methods": ["GET"], "private": True}]}
        },
        dependencies=[
            {"type": "script", "name": "secret", "runtime_name": "python_library_v5.0", "source": "print('psst')"}
        ],
    )
    run = f"{FOLDER}/endpoints/sockets/secretive/secret/"
    equal(holder.request("GET", run)["result"]["stdout"], "psst")
    equal(requests.get(syncano.API_ROOT.rstrip("/") + run, timeout=30).status_code, 403)

with step("the key in other places"):
    url = syncano.API_ROOT.rstrip("/") + f"{FOLDER}/"
    equal(requests.get(url, headers={"X-API-KEY": key.api_key}, timeout=30).status_code, 200)
    equal(requests.get(url, params={"api_key": key.api_key}, timeout=30).status_code, 200)
    equal(requests.get(url, headers={"Authorization": f"Bearer {key.api_key}"}, timeout=30).status_code, 200)

with step("a new key for an old one"):
    reset = connection.request("POST", key.links.reset_key)
    assert reset["api_key"] != key.api_key
    contains(range(400, 404), requests.get(url, params={"api_key": key.api_key}, timeout=30).status_code)
    equal(requests.get(url, params={"api_key": reset["api_key"]}, timeout=30).status_code, 200)

with step("delete"):
    ApiKey.please.get(id=key.id).delete()
    equal([found.id for found in ApiKey.please.all()], [second.id])
    equal(requests.get(url, params={"api_key": reset["api_key"]}, timeout=30).status_code, 403)

finish()
