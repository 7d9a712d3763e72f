"""`syncano sync push` of scripts, and `syncano execute`. (`sync pull` reads data classes too, which the server doesn't have.)"""

import json
import pathlib

import syncano as client
from syncano.models import RuntimeChoices

from command import fails, syncano
from steps import contains, equal, finish, step

syncano("login")
syncano("instances", "create", "scripts-instance")
syncano("instances", "default", "scripts-instance")
instance = client.connect().Instance.please.get(name="scripts-instance")

SOURCE = pathlib.Path("scripts/adder.py")


def endpoint(name: str, source: str) -> None:
    script = instance.scripts.create(runtime_name=RuntimeChoices.PYTHON_V5_0, source=source, label=name)
    instance.script_endpoints.create(name=name, script=script.id)


with step("push a script"):
    SOURCE.parent.mkdir()
    SOURCE.write_text("print(1)\n")
    script = {"label": "adder", "runtime": "python_library_v5.0", "script": str(SOURCE), "config": {"depth": 2}}
    # JSON is YAML.
    pathlib.Path("syncano.yml").write_text(json.dumps({"classes": {}, "scripts": [script]}))
    syncano("sync", "push", "--all")
    [pushed] = instance.scripts.all()
    equal((pushed.label, pushed.source, pushed.config), ("adder", "print(1)\n", {"depth": 2}))

with step("push it again, changed"):
    SOURCE.write_text("print(2)\n")
    syncano("sync", "push", "--script", "adder", "--all")
    equal([found.source for found in instance.scripts.all()], ["print(2)\n"])

with step("execute"):
    endpoint("number", "print(12)")
    equal(syncano("execute", "number"), "12\n")

with step("execute with data"):
    endpoint("data", "print(ARGS['POST']['data'])")
    equal(syncano("execute", "data", "-d", "data=some text"), "some text\n")

with step("execute what fails"):
    endpoint("failing", "print(12 / 0)")
    contains(syncano("execute", "failing"), "ZeroDivisionError")

with step("execute what answers with JSON"):
    endpoint("own", "set_response(HttpResponse(200, '{\"test\": \"amazing\"}', 'application/json'))")
    equal(json.loads(syncano("execute", "own")), {"test": "amazing"})

with step("execute what doesn't exist"):
    contains(fails("execute", "nothing"), "nothing not found")

finish()
