"""Custom sockets as the client's documentation makes them: create, status, list, recheck, raw format, conflicts, delete."""

import datetime

import syncano
from syncano.exceptions import SyncanoRequestError
from syncano.models import (
    CustomSocket,
    Endpoint,
    Instance,
    RuntimeChoices,
    Script,
    ScriptCall,
    ScriptDependency,
    ScriptEndpoint,
)

from steps import contains, equal, finish, raises, step, until

connection = syncano.connect().connection()
Instance.please.create(name="sockets-instance")


def settled(socket: CustomSocket) -> CustomSocket:
    """Waits until the server has checked it."""

    def reload():
        socket.reload()
        return socket.status

    until(reload, lambda status: status != "checking")
    return socket


def stdout(socket: CustomSocket, endpoint: str, method: str = "GET", data=None) -> str:
    return socket.run(endpoint_name=endpoint, method=method, data=data)["result"]["stdout"]


def one_call(name: str, script: str, methods: list) -> Endpoint:
    endpoint = Endpoint(name=name)
    endpoint.add_call(ScriptCall(name=script, methods=methods))
    return endpoint


def new_script(source: str) -> Script:
    """A script that isn't on the server yet."""
    return Script(runtime_name=RuntimeChoices.PYTHON_V5_0, source=source)


with step("a new script, an existing script and an existing script endpoint"):
    existing = Script.please.create(
        runtime_name=RuntimeChoices.PYTHON_V5_0, source='print("another_custom_script")'
    )
    behind = Script.please.create(runtime_name=RuntimeChoices.PYTHON_V5_0, source='print("script_endpoint")')
    ScriptEndpoint.please.create(name="script_endpoint_name", script=behind.id)

    custom_socket = CustomSocket(name="my_custom_socket")
    endpoint = Endpoint(name="my_endpoint")
    endpoint.add_call(ScriptCall(name="custom_script", methods=["GET"]))
    endpoint.add_call(ScriptCall(name="another_custom_script", methods=["POST"]))
    custom_socket.add_endpoint(endpoint)
    custom_socket.add_endpoint(one_call("other_endpoint", "script_endpoint_name", ["GET"]))
    custom_socket.add_dependency(ScriptDependency(new_script('print("custom_script")'), name="custom_script"))
    custom_socket.add_dependency(
        ScriptDependency(Script.please.get(id=existing.id), name="another_custom_script")
    )
    custom_socket.add_dependency(ScriptDependency(ScriptEndpoint.please.get(name="script_endpoint_name")))
    custom_socket.install()
    contains(("checking", "ok"), custom_socket.status)

with step("status"):
    settled(custom_socket)
    equal((custom_socket.status, custom_socket.status_info), ("ok", ""))
    assert isinstance(custom_socket.created_at, datetime.datetime)
    assert isinstance(custom_socket.updated_at, datetime.datetime)

with step("run each"):
    equal(stdout(custom_socket, "my_endpoint"), "custom_script")
    equal(stdout(custom_socket, "my_endpoint", "POST"), "another_custom_script")
    equal(stdout(custom_socket, "other_endpoint"), "script_endpoint")

with step("an existing script endpoint that matches is used"):
    names = [found.name for found in ScriptEndpoint.please.all()]
    equal(names.count("script_endpoint_name"), 1)
    contains(names, "custom_script")
    contains(names, "another_custom_script")

with step("list"):
    equal([found.name for found in CustomSocket.please.all()], ["my_custom_socket"])

with step("get"):
    found = CustomSocket.please.get(name="my_custom_socket")
    equal(set(found.endpoints), {"my_endpoint", "other_endpoint"})
    equal(
        found.endpoints["my_endpoint"]["calls"],
        [
            {"type": "script", "name": "custom_script", "methods": ["GET"]},
            {"type": "script", "name": "another_custom_script", "methods": ["POST"]},
        ],
    )
    equal(
        {dependency["name"]: dependency["source"] for dependency in found.dependencies},
        {
            "custom_script": 'print("custom_script")',
            "another_custom_script": 'print("another_custom_script")',
            "script_endpoint_name": 'print("script_endpoint")',
        },
    )
    equal({dependency["runtime_name"] for dependency in found.dependencies}, {RuntimeChoices.PYTHON_V5_0})

with step("one that doesn't exist"), raises(CustomSocket.DoesNotExist):
    CustomSocket.please.get(name="no_such_socket")

with step("a name is taken once"), raises(SyncanoRequestError, 400):
    again = CustomSocket(name="my_custom_socket")
    again.add_endpoint(one_call("again", "again", ["GET"]))
    again.add_dependency(ScriptDependency(new_script("print(1)"), name="again"))
    again.install()

with step("the raw format"):
    raw = CustomSocket.please.create(
        name="my_custom_socket_3",
        endpoints={
            "my_endpoint_3": {"calls": [{"type": "script", "name": "my_script_3", "methods": ["POST"]}]}
        },
        dependencies=[
            {
                "type": "script",
                "runtime_name": "python_library_v5.0",
                "name": "my_script_3",
                "source": "print(3)",
            }
        ],
    )
    equal(settled(raw).status, "ok")
    equal(stdout(raw, "my_endpoint_3", "POST"), "3")

with step("a method without a call isn't sent"):
    with raises(syncano.exceptions.SyncanoValueError):
        stdout(raw, "my_endpoint_3", "GET")

with step("a method without a call is refused"), raises(SyncanoRequestError, 405):
    connection.request("GET", "/v1.1/instances/sockets-instance/endpoints/sockets/my_endpoint_3/")

with step("a raw format of the wrong shape is refused"), raises(SyncanoRequestError, 400):
    CustomSocket.please.create(
        name="shapeless",
        endpoints={"e": {"calls": [{"type": "script", "name": "s", "methods": ["FETCH"]}]}},
        dependencies=[{"type": "script", "runtime_name": "python", "name": "s", "source": ""}],
    )

with step("an endpoint's name that another socket has"):
    rival = CustomSocket(name="rival")
    rival.add_endpoint(one_call("my_endpoint_3", "rival_script", ["GET"]))
    rival.add_dependency(ScriptDependency(new_script("print('rival')"), name="rival_script"))
    rival.install()
    equal(settled(rival).status, "error")
    contains(rival.status_info, "my_endpoint_3")
    equal(stdout(raw, "my_endpoint_3", "POST"), "3")

with step("recheck while the reason lasts"):
    rival.recheck()
    equal(settled(rival).status, "error")

with step("delete"):
    raw.delete()
    with raises(CustomSocket.DoesNotExist):
        CustomSocket.please.get(name="my_custom_socket_3")

with step("recheck when the reason is gone"):
    rival.recheck()
    equal((settled(rival).status, rival.status_info), ("ok", ""))
    equal(stdout(rival, "my_endpoint_3"), "rival")

with step("recheck makes again what was deleted by mistake"):
    ScriptEndpoint.please.delete(name="script_endpoint_name")
    custom_socket.recheck()
    equal(settled(custom_socket).status, "ok")
    equal(stdout(custom_socket, "other_endpoint"), "script_endpoint")
    contains([found.name for found in ScriptEndpoint.please.all()], "script_endpoint_name")

with step("a script endpoint of the name with another source is left alone"):
    mine = Script.please.create(runtime_name=RuntimeChoices.PYTHON_V5_0, source="print('mine')")
    taken = ScriptEndpoint.please.create(name="taken", script=mine.id)
    differing = CustomSocket(name="differing")
    differing.add_endpoint(one_call("differs", "taken", ["GET"]))
    differing.add_dependency(ScriptDependency(new_script("print('the socket')"), name="taken"))
    differing.install()
    equal(settled(differing).status, "ok")
    equal(stdout(differing, "differs"), "the socket")
    equal(taken.run().content, "mine")

with step("scripts of the user outlive the socket"):
    CustomSocket.please.delete(name="my_custom_socket")
    equal(Script.please.get(id=existing.id).source, 'print("another_custom_script")')
    equal(Script.please.get(id=behind.id).source, 'print("script_endpoint")')
    equal({found.name for found in CustomSocket.please.all()}, {"rival", "differing"})

finish()
