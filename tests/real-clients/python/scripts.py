"""Scripts: create, list, change, run, traces, delete."""

import datetime

import syncano
from syncano.exceptions import SyncanoRequestError
from syncano.models import Instance, RuntimeChoices, Script, ScriptTrace

from steps import contains, equal, finish, raises, step, until

connection = syncano.connect().connection()
instance = Instance.please.create(name="scripts-instance")


def finished(trace):
    """Waits until the run is over."""

    def reload():
        trace.reload()
        return trace.status

    until(reload, lambda status: status not in ("pending", "processing"))
    return trace


with step("create"):
    script = Script.please.create(
        label="adder",
        description="adds",
        runtime_name=RuntimeChoices.PYTHON_V5_0,
        source="print(ARGS['a'] + ARGS['b'])\n",
        config={"depth": {"is": 2}},
    )
    assert isinstance(script.id, int)
    equal(script.source, "print(ARGS['a'] + ARGS['b'])\n")
    equal(script.config, {"depth": {"is": 2}})
    assert isinstance(script.created_at, datetime.datetime)

with step("create without a label"):
    silent = instance.scripts.create(runtime_name=RuntimeChoices.PYTHON, source="print(CONFIG)")
    equal(silent.runtime_name, "python")

with step("an unknown runtime is refused"), raises(SyncanoRequestError, 400):
    Script.please.create(runtime_name="cobol", source="STOP RUN")

with step("list"):
    equal([found.id for found in Script.please.all()], [script.id, silent.id])
    equal([found.id for found in instance.scripts.all().page_size(1)], [script.id, silent.id])

with step("get"):
    found = Script.please.get(id=script.id)
    equal((found.label, found.description), ("adder", "adds"))

with step("one that doesn't exist"), raises(Script.DoesNotExist):
    Script.please.get(id=987654)

with step("run"):
    trace = script.run(a=20, b=22)
    contains(("pending", "processing", "success"), trace.status)
    equal(finished(trace).status, "success")
    equal(trace.result, {"stdout": "42", "stderr": ""})
    equal(trace.content, "42")
    assert isinstance(trace.duration, int)
    assert isinstance(trace.executed_at, datetime.datetime)

with step("run by id"):
    trace = Script.please.run(id=script.id, payload={"a": 1, "b": 2})
    trace = ScriptTrace.please.get(script_id=script.id, id=trace.id)
    equal(finished(trace).result["stdout"], "3")

with step("a run that fails"):
    trace = finished(script.run(a=1))
    equal(trace.status, "failure")
    contains(trace.error, "KeyError")

with step("a response of the script's own"):
    responder = Script.please.create(
        label="responder",
        runtime_name=RuntimeChoices.PYTHON_V5_0,
        source="set_response(HttpResponse(201, '{\"one\": 1}', 'application/json'))",
    )
    trace = finished(responder.run())
    equal(trace.content, {"one": 1})
    equal((trace.status_code, trace.content_type), (201, "application/json"))

with step("traces, the newest first"):
    traces = list(script.traces)
    equal([trace.status for trace in traces], ["failure", "success", "success"])
    equal(ScriptTrace.please.get(script_id=script.id, id=traces[-1].id).result["stdout"], "42")

with step("the instance's configuration and the script's own"):
    instance.set_config({"greeting": "Hello", "depth": 1})
    reader = Script.please.create(
        runtime_name=RuntimeChoices.PYTHON_V5_0,
        source="print(CONFIG['greeting'], CONFIG['depth'])",
        config={"depth": 2},
    )
    equal(finished(reader.run()).result["stdout"], "Hello 2")

with step("update"):
    Script.please.update(id=script.id, source="print('changed')")
    equal(Script.please.get(id=script.id).source, "print('changed')")
    equal(finished(script.run()).result["stdout"], "changed")

with step("save"):
    script.reload()
    script.label = "renamed"
    script.save()
    found = Script.please.get(id=script.id)
    equal((found.label, found.source, found.config), ("renamed", "print('changed')", {"depth": {"is": 2}}))

with step("the runtimes"):
    runtimes = connection.request("GET", script.links.runtimes)
    for name in ("python3", RuntimeChoices.PYTHON_V5_0, RuntimeChoices.NODEJS_V1_0):
        contains(runtimes, name)

with step("delete"):
    script.delete()
    Script.please.delete(id=silent.id)
    equal({found.id for found in Script.please.all()}, {responder.id, reader.id})

finish()
