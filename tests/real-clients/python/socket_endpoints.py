"""Endpoints of sockets: lists, details, runs by method, data, responses, traces."""

import requests
import syncano
from syncano.exceptions import SyncanoRequestError, SyncanoValueError
from syncano.models import CustomSocket, Instance, SocketEndpoint

from steps import contains, equal, finish, raises, step, until

connection = syncano.connect().connection()
Instance.please.create(name="endpoints-instance")
FOLDER = "/v1.1/instances/endpoints-instance"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def install(name: str, endpoints: dict, sources: dict) -> CustomSocket:
    """`endpoints`: name to a list of (script, methods)."""
    CustomSocket.please.create(
        name=name,
        endpoints={
            endpoint: {
                "calls": [{"type": "script", "name": script, "methods": methods} for script, methods in calls]
            }
            for endpoint, calls in endpoints.items()
        },
        dependencies=[
            {"type": "script", "name": script, "source": source, "runtime_name": "python_library_v5.0"}
            for script, source in sources.items()
        ],
    )
    socket = until(lambda: CustomSocket.please.get(name=name), lambda socket: socket.status != "checking")
    equal((socket.status, socket.status_info), ("ok", ""))
    return socket


def endpoint(name: str) -> SocketEndpoint:
    return {found.name: found for found in SocketEndpoint.get_all_endpoints()}[name]


with step("install"):
    shop = install(
        "shop",
        {
            "items": [("read", ["GET"]), ("write", ["POST", "PUT"])],
            "anything": [("anything", ["*"])],
            "page": [("page", ["GET"])],
            "number": [("number", ["GET"])],
            "broken": [("broken", ["GET", "POST"])],
        },
        {
            "read": "print('read', ARGS.get('id'))",
            "write": "print('write', ARGS['POST'].get('name'), ARGS.get('name'))",
            "anything": "print(META['request']['REQUEST_METHOD'], ARGS.get('name'))",
            "page": "set_response(HttpResponse(203, '<p>hi</p>', 'text/html', {'X-Shop': 'open'}))",
            "number": "set_response(HttpResponse(200, '{\"number\": 5}', 'application/json'))",
            "broken": "import sys\nprint('so far')\nsys.exit(3)",
        },
    )
    other = install("other", {"hello": [("hello", ["GET"])]}, {"hello": "print('hello')"})

with step("get_endpoints"):
    names = {found.name for found in shop.get_endpoints()}
    contains(names, "shop/items")

with step("get_all_endpoints"):
    found = {found.name: set(found.allowed_methods) for found in SocketEndpoint.get_all_endpoints()}
    equal(
        found,
        {
            "shop/items": {"GET", "POST", "PUT"},
            "shop/anything": set(METHODS),
            "shop/page": {"GET"},
            "shop/number": {"GET"},
            "shop/broken": {"GET", "POST"},
            "other/hello": {"GET"},
        },
    )

with step("the endpoints of one socket"):
    names = {found.name for found in SocketEndpoint.please.all(custom_socket_name="shop")}
    equal(names, {"items", "anything", "page", "number", "broken"})

with step("details of an endpoint, which run nothing"):
    found = SocketEndpoint.please.get(custom_socket_name="shop", name="items")
    equal(set(found.allowed_methods), {"GET", "POST", "PUT"})
    details = connection.request("GET", f"{FOLDER}/sockets/shop/endpoints/items/")
    equal(
        details["calls"],
        [
            {"type": "script", "name": "read", "methods": ["GET"]},
            {"type": "script", "name": "write", "methods": ["POST", "PUT"]},
        ],
    )
    equal(connection.request("GET", endpoint("shop/items").links.traces)["objects"], [])

with step("run by method"):
    equal(shop.run(endpoint_name="items")["result"]["stdout"], "read None")
    equal(shop.run(endpoint_name="items", method="POST")["result"]["stdout"], "write None None")
    equal(shop.run(endpoint_name="items", method="PUT", data={"name": "a"})["result"]["stdout"], "write a a")

with step("run an endpoint, with data and without"):
    found = endpoint("shop/items")
    equal(found.run(method="GET")["status"], "success")
    equal(found.run(method="POST", data={"name": "test_name"})["result"]["stdout"], "write test_name test_name")

with step("data of a GET"):
    # The client's own `run` drops the data of GET and DELETE.
    answer = connection.request("GET", endpoint("shop/items").links.self + "?id=7")
    equal(answer["result"]["stdout"], "read 7")

with step("a method that the endpoint doesn't list isn't sent"), raises(SyncanoValueError):
    endpoint("shop/items").run(method="DELETE")

with step("a method that the endpoint doesn't list is refused"), raises(SyncanoRequestError, 405):
    connection.request("DELETE", endpoint("shop/items").links.self)

with step("a wildcard answers every method"):
    for method in METHODS:
        data = {"name": "Ada"} if method in ("POST", "PUT", "PATCH") else None
        answer = shop.run(endpoint_name="anything", method=method, data=data)
        equal(answer["result"]["stdout"], f"{method} {'Ada' if data else None}")

with step("an endpoint's name is enough"):
    answer = connection.request("GET", f"{FOLDER}/endpoints/sockets/hello/")
    equal(answer["result"]["stdout"], "hello")

with step("an endpoint that doesn't exist"):
    with raises(SyncanoValueError):
        shop.run(endpoint_name="no_such_endpoint")
    with raises(SyncanoRequestError, 404):
        connection.request("GET", f"{FOLDER}/endpoints/sockets/shop/no_such_endpoint/")

with step("a text as a response"):
    equal(shop.run(endpoint_name="page"), "<p>hi</p>")
    answer = requests.get(syncano.API_ROOT.rstrip("/") + endpoint("shop/page").links.self, timeout=30)
    equal((answer.status_code, answer.headers["X-Shop"]), (203, "open"))
    contains(answer.headers["Content-Type"], "text/html")

with step("JSON as a response"):
    equal(shop.run(endpoint_name="number"), {"number": 5})

with step("a run that fails"):
    answer = shop.run(endpoint_name="broken")
    equal((answer["status"], answer["result"]["stdout"]), ("failure", "so far"))

with step("traces, the newest first"):
    shop.run(endpoint_name="broken", method="POST", data={"id": 1})
    traces = connection.request("GET", endpoint("shop/broken").links.traces)["objects"]
    equal([trace["status"] for trace in traces], ["failure", "failure"])
    equal(traces[0]["args"]["POST"], {"id": 1})
    trace = connection.request("GET", traces[0]["links"]["self"])
    equal((trace["id"], trace["result"]["stdout"]), (traces[0]["id"], "so far"))
    assert isinstance(trace["duration"], int)

with step("a deleted socket takes its endpoints along"):
    shop.delete()
    equal([found.name for found in SocketEndpoint.get_all_endpoints()], ["other/hello"])

finish()
