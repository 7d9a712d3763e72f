"""Script endpoints: create, list, change, run, public links, traces, delete."""

import requests
import syncano
from syncano.exceptions import SyncanoRequestError
from syncano.models import Instance, RuntimeChoices, Script, ScriptEndpoint, ScriptEndpointTrace

from steps import contains, equal, finish, raises, step

syncano.connect()
instance = Instance.please.create(name="script-endpoints")


def script(source: str) -> Script:
    return Script.please.create(runtime_name=RuntimeChoices.PYTHON_V5_0, source=source)


def public(endpoint: ScriptEndpoint) -> str:
    return syncano.API_ROOT.rstrip("/") + endpoint.links.public_link


with step("create"):
    hello = script("print('Hello', ARGS.get('name'))")
    endpoint = ScriptEndpoint.please.create(name="hello", script=hello.id)
    equal((endpoint.name, endpoint.script, endpoint.public), ("hello", hello.id, False))
    equal(len(endpoint.public_link), 40)

with step("a name is taken once"), raises(SyncanoRequestError, 400):
    ScriptEndpoint.please.create(name="hello", script=hello.id)

with step("an unknown script is refused"), raises(SyncanoRequestError, 400):
    ScriptEndpoint.please.create(name="nothing", script=987654)

with step("list"):
    equal([found.name for found in ScriptEndpoint.please.all()], ["hello"])
    equal([found.name for found in instance.script_endpoints.all()], ["hello"])

with step("get"):
    equal(ScriptEndpoint.please.get(name="hello").script, hello.id)

with step("one that doesn't exist"), raises(ScriptEndpoint.DoesNotExist):
    ScriptEndpoint.please.get(name="no-such-endpoint")

with step("run"):
    trace = endpoint.run(name="Ada")
    equal(trace.status, "success")
    equal(trace.result, {"stdout": "Hello Ada", "stderr": ""})

with step("run without data"):
    equal(endpoint.run().content, "Hello None")

with step("run by name"):
    # This one sends its payload as a text under the key `payload`.
    echo = ScriptEndpoint.please.create(name="echo", script=script("print(ARGS['POST']['payload'])").id)
    equal(ScriptEndpoint.please.run(name="echo", payload={"a": 1}).result["stdout"], '{"a": 1}')

with step("run with a cache key"):
    equal(endpoint.run(cache_key="k", name="Bob").content, "Hello Bob")

with step("a run that fails"):
    failing = ScriptEndpoint.please.create(name="failing", script=script("1 / 0").id)
    trace = failing.run()
    equal(trace.status, "failure")
    contains(trace.error, "ZeroDivisionError")

with step("a response of the script's own"):
    own = ScriptEndpoint.please.create(
        name="own", script=script("set_response(HttpResponse(200, '{\"one\": 1}', 'application/json'))").id
    )
    equal(own.run(), {"one": 1})

with step("a text as a response"):
    text = ScriptEndpoint.please.create(
        name="text", script=script("set_response(HttpResponse(200, '<p>hi</p>', 'text/html'))").id
    )
    equal(text.run(), "<p>hi</p>")

with step("a public link of one that isn't public"):
    equal(requests.get(public(endpoint), timeout=30).status_code, 404)

with step("a public link"):
    open_to_all = ScriptEndpoint.please.create(name="open", script=hello.id, public=True)
    equal(open_to_all.public, True)
    answer = requests.get(public(open_to_all), params={"name": "Eve"}, timeout=30)
    equal((answer.status_code, answer.json()["result"]["stdout"]), (200, "Hello Eve"))
    answer = requests.post(public(open_to_all), json={"name": "Mallory"}, timeout=30)
    equal(answer.json()["result"]["stdout"], "Hello Mallory")

with step("reset the public link"):
    before = open_to_all.public_link
    old_url = public(open_to_all)
    open_to_all.reset_link()
    assert open_to_all.public_link != before
    equal(requests.get(old_url, timeout=30).status_code, 404)
    open_to_all.reload()
    equal(requests.get(public(open_to_all), timeout=30).status_code, 200)

with step("traces, the newest first"):
    traces = list(endpoint.traces)
    equal([trace.result["stdout"] for trace in traces], ["Hello Bob", "Hello None", "Hello Ada"])
    trace = ScriptEndpointTrace.please.get(script_endpoint_name="hello", id=traces[-1].id)
    equal(trace.result["stdout"], "Hello Ada")

with step("save"):
    other = script("print('other')")
    endpoint.script = other.id
    endpoint.save()
    equal(ScriptEndpoint.please.get(name="hello").script, other.id)
    equal(endpoint.run().content, "other")

with step("update"):
    ScriptEndpoint.please.update(name="hello", script=hello.id, public=True)
    found = ScriptEndpoint.please.get(name="hello")
    equal((found.script, found.public), (hello.id, True))

with step("delete"):
    endpoint.delete()
    ScriptEndpoint.please.delete(name="echo")
    equal({found.name for found in ScriptEndpoint.please.all()}, {"failing", "own", "text", "open"})

with step("an endpoint goes with its script"):
    hello.delete()
    equal({found.name for found in ScriptEndpoint.please.all()}, {"failing", "own", "text"})

finish()
