"""Instances: create, list, change, rename, configure, delete."""

import datetime

import syncano
from syncano.exceptions import SyncanoRequestError
from syncano.models import Instance

from steps import contains, equal, finish, raises, step

syncano.connect()

with step("create"):
    instance = Instance.please.create(name="first-instance", description="the first")
    equal(instance.name, "first-instance")
    equal(instance.description, "the first")
    assert isinstance(instance.created_at, datetime.datetime)
    equal(instance.metadata, {})

with step("a name is taken once"), raises(SyncanoRequestError, 400):
    Instance.please.create(name="first-instance")

with step("list"):
    contains([found.name for found in Instance.please.all()], "first-instance")

with step("list page by page"):
    for number in range(3):
        Instance.please.create(name=f"another-instance-{number}")
    names = [found.name for found in Instance.please.page_size(2).all()]
    equal(len(names), len(set(names)))
    equal(set(names), {"first-instance", "another-instance-0", "another-instance-1", "another-instance-2"})

with step("get"):
    found = Instance.please.get(name="first-instance")
    equal(found.description, "the first")
    equal(found.role, "full")
    contains(found.owner.email, "@")

with step("one that doesn't exist"), raises(Instance.DoesNotExist):
    Instance.please.get(name="no-such-instance")

with step("update"):
    Instance.please.update(name="first-instance", description="changed", metadata={"colour": "blue"})
    found = Instance.please.get(name="first-instance")
    equal((found.description, found.metadata), ("changed", {"colour": "blue"}))

with step("save"):
    found.description = "saved"
    found.save()
    equal(Instance.please.get(name="first-instance").description, "saved")

with step("configuration"):
    equal(found.get_config(), {})
    found.set_config({"greeting": "Hello", "depth": {"is": [1, 2]}})
    equal(found.get_config(), {"greeting": "Hello", "depth": {"is": [1, 2]}})
    found.set_config('{"greeting": "Hi"}')
    equal(found.get_config(), {"greeting": "Hi"})

with step("rename"):
    renamed = found.rename("renamed-instance")
    equal(renamed.name, "renamed-instance")
    equal(Instance.please.get(name="renamed-instance").description, "saved")
    equal(Instance.please.get(name="renamed-instance").get_config(), {"greeting": "Hi"})

with step("the old name is gone"), raises(Instance.DoesNotExist):
    Instance.please.get(name="first-instance")

with step("delete"):
    Instance.please.get(name="renamed-instance").delete()
    Instance.please.delete(name="another-instance-0")
    equal({found.name for found in Instance.please.all()}, {"another-instance-1", "another-instance-2"})

finish()
