"""Changes of a custom socket: add and remove endpoints and dependencies."""

import syncano
from syncano.models import CustomSocket, Endpoint, Instance, RuntimeChoices, Script, ScriptCall, ScriptDependency

from steps import contains, equal, finish, step, until

syncano.connect()
Instance.please.create(name="updates-instance")
NAME = "changing"


def call(name: str, script: str, methods: list) -> Endpoint:
    endpoint = Endpoint(name=name)
    endpoint.add_call(ScriptCall(name=script, methods=methods))
    return endpoint


def dependency(name: str, source: str) -> ScriptDependency:
    return ScriptDependency(Script(runtime_name=RuntimeChoices.PYTHON_V5_0, source=source), name=name)


def settled() -> CustomSocket:
    return until(lambda: CustomSocket.please.get(name=NAME), lambda socket: socket.status != "checking")


def stdout(endpoint: str, method: str = "GET") -> str:
    return CustomSocket.please.get(name=NAME).run(endpoint_name=endpoint, method=method)["result"]["stdout"]


with step("create"):
    socket = CustomSocket(name=NAME)
    socket.add_endpoint(call("first", "first_script", ["GET"]))
    socket.add_dependency(dependency("first_script", "print('first')"))
    socket.install()
    equal(settled().status, "ok")

with step("add an endpoint and a dependency"):
    socket = CustomSocket.please.get(name=NAME)
    socket.add_endpoint(call("second", "second_script", ["GET", "POST"]))
    socket.add_dependency(dependency("second_script", "print('second')"))
    socket.update()
    found = settled()
    equal((found.status, set(found.endpoints)), ("ok", {"first", "second"}))
    equal((stdout("first"), stdout("second"), stdout("second", "POST")), ("first", "second", "second"))

with step("remove an endpoint"):
    socket = CustomSocket.please.get(name=NAME)
    socket.remove_endpoint(endpoint_name="first")
    socket.update()
    equal(set(settled().endpoints), {"second"})

with step("remove a dependency"):
    # The client's own `remove_dependency` asks for an attribute that no dependency has.
    socket = CustomSocket.please.get(name=NAME)
    socket._dependencies = [known for known in socket._dependencies if known.name != "first_script"]
    socket.update()
    found = settled()
    equal([known["name"] for known in found.dependencies], ["second_script"])
    equal(found.status, "ok")
    equal(stdout("second"), "second")

with step("change a source"):
    socket = CustomSocket.please.get(name=NAME)
    socket._dependencies = [dependency("second_script", "print('changed')")]
    socket.update()
    equal(settled().status, "ok")
    equal(stdout("second"), "changed")

with step("an endpoint whose script is missing"):
    socket = CustomSocket.please.get(name=NAME)
    socket.add_endpoint(call("third", "no_such_script", ["GET"]))
    socket.update()
    found = settled()
    contains(found.endpoints, "third")
    equal(found.status, "error")
    contains(found.status_info, "no_such_script")

with step("what was installed keeps running"):
    equal(stdout("second"), "changed")

with step("the missing script comes later"):
    socket = CustomSocket.please.get(name=NAME)
    socket.add_dependency(dependency("no_such_script", "print('third')"))
    socket.update()
    found = settled()
    equal((found.status, found.status_info), ("ok", ""))
    equal(stdout("third"), "third")

finish()
