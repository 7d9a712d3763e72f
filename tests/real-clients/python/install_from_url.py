"""A socket whose definition and scripts the server fetches."""

import os

import syncano
from syncano.exceptions import SyncanoRequestError
from syncano.models import CustomSocket, Instance

from steps import contains, equal, finish, raises, step, until

URL = os.environ["SOCKET_URL"]

syncano.connect()
Instance.please.create(name="urls-instance")


def settled(name: str) -> CustomSocket:
    return until(lambda: CustomSocket.please.get(name=name), lambda socket: socket.status != "checking")


def stdout(endpoint: str, method: str = "GET", data=None) -> str:
    socket = CustomSocket.please.get(name="fetched")
    return socket.run(endpoint_name=endpoint, method=method, data=data)["result"]["stdout"]


with step("install"):
    CustomSocket(name="fetched").install_from_url(url=URL, config={"greeting": "Good morning"})
    socket = settled("fetched")
    equal((socket.status, socket.status_info), ("ok", ""))

with step("what was fetched"):
    equal(set(socket.endpoints), {"greet", "count"})
    equal({known["name"] for known in socket.dependencies}, {"greet", "count_up", "count_down"})
    contains([known["source"] for known in socket.dependencies], "print(ARGS.get('from', 0) + 1)\n")

with step("description and other keys"):
    equal(socket.description, "Greets and counts")
    equal(socket.metadata["author"], {"name": "Ada"})

with step("the answers are the socket's configuration"):
    equal(socket.config["greeting"], "Good morning")
    equal(stdout("greet"), "Good morning, you")

with step("a call for each method"):
    equal(stdout("count"), "1")
    equal(stdout("count", "POST", {"from": 5}), "4")

with step("recheck"):
    socket.recheck()
    equal(settled("fetched").status, "ok")

with step("an address without a definition"):
    CustomSocket(name="lost").install_from_url(url=URL.replace("socket.yml", "nothing.yml"))
    lost = settled("lost")
    equal(lost.status, "error")
    contains(lost.status_info, "nothing.yml")

with step("an address is needed"), raises(SyncanoRequestError, 400):
    CustomSocket(name="nowhere").install_from_url(url="")

with step("delete"):
    socket.delete()
    equal([found.name for found in CustomSocket.please.all()], ["lost"])

finish()
