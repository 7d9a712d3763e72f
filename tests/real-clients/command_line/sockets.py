"""`syncano sockets`: template, install from a folder and from an address, list, details, config, run, delete."""

import ast
import os
import pathlib
import shutil

import yaml

from command import fails, syncano
from steps import contains, equal, finish, step, until

FOLDER = pathlib.Path("from-folder")
URL = os.environ["SOCKET_URL"]


def listed() -> dict:
    sockets = yaml.safe_load(syncano("sockets", "list"))["sockets"]
    return {entry["socket"]["name"]: entry["socket"] for entry in sockets}


def settled(name: str) -> dict:
    return until(lambda: listed()[name], lambda socket: socket["status"] != "checking")


def run(*arguments: str):
    """What an endpoint answered, which the command prints as Python does."""
    return ast.literal_eval(syncano("sockets", "run", *arguments))


# The command takes whatever has "http" in it for an address, and a checkout may lie anywhere.
shutil.copytree(os.environ["SOCKET_FOLDER"], FOLDER)
syncano("login")
syncano("instances", "create", "sockets-instance")
syncano("instances", "default", "sockets-instance")

with step("no sockets yet"):
    equal(listed(), {})

with step("install from a folder"):
    contains(syncano("sockets", "install", str(FOLDER), answers="Good day\n"), "socket greetings created")
    equal(settled("greetings"), {"name": "greetings", "status": "ok", "info": ""})

with step("list the endpoints"):
    endpoints = yaml.safe_load(syncano("sockets", "list", "endpoints"))["endpoints"]
    found = {entry["endpoint"]["name"]: entry["endpoint"] for entry in endpoints}
    equal(set(found), {"greetings/greet", "greetings/count"})
    equal(set(found["greetings/count"]["methods"]), {"GET", "POST"})
    equal(set(found["greetings/greet"]["methods"]), {"GET", "POST", "PUT", "PATCH", "DELETE"})
    equal(found["greetings/greet"]["path"].count("endpoints"), 1)

with step("details"):
    details = yaml.safe_load(syncano("sockets", "details", "greetings"))
    equal((details["name"], details["description"]), ("greetings", "Greets and counts"))
    equal(details["author"], {"name": "Ada"})
    equal(details["endpoints"]["greet"], {"script": "greet"})
    equal(
        details["endpoints"]["count"],
        {"GET": {"script": "count_up"}, "POST": {"script": "count_down"}},
    )
    equal(set(details["dependencies"]["scripts"]), {"greet", "count_up", "count_down"})

with step("the answers are the socket's configuration"):
    contains(syncano("sockets", "config", "greetings"), "Good day")

with step("run"):
    equal(run("greetings/greet")["result"]["stdout"], "Good day, you")
    equal(run("greetings/count")["result"]["stdout"], "1")

with step("run with data"):
    equal(run("greetings/greet", "POST", "-d", "name=Ada")["result"]["stdout"], "Good day, Ada")

with step("an endpoint that doesn't exist"):
    contains(fails("sockets", "run", "greetings/nothing"), "Endpoint `greetings/nothing` not found")

with step("another instance than the default one"):
    said = fails("sockets", "--instance-name", "no-such-instance", "run", "greetings/greet")
    contains(said, "`no-such-instance` not found")

with step("a template from a socket"):
    syncano("sockets", "template", "copied", "--socket", "greetings")
    definition = yaml.safe_load(pathlib.Path("copied/socket.yml").read_text())
    equal(definition["name"], "greetings")
    for script in ("greet", "count_up", "count_down"):
        original = (FOLDER / "scripts" / f"{script}.py").read_text()
        equal(pathlib.Path("copied/scripts", f"{script}.py").read_text(), original)

with step("a template of the command's own, with a class"):
    syncano("sockets", "template", "example")
    syncano("sockets", "install", "example", answers="xx-9876\n")
    equal(settled("custom_socket_example")["status"], "ok")
    contains(syncano("sockets", "config", "custom_socket_example"), "xx-9876")
    equal(run("custom_socket_example/custom_endpoint_1")["result"]["stdout"], "2")
    equal(run("custom_socket_example/custom_endpoint_1", "POST", "-d", "one=1")["result"]["stdout"], "1")
    contains(syncano("sockets", "run", "custom_socket_example/custom_endpoint"), "Hunger games")

with step("endpoint names of a file count within its socket"):
    contains(syncano("sockets", "install", URL, "--name", "rival", answers="Hi\n"), "Installing socket")
    equal(settled("rival")["status"], "ok")

with step("delete"):
    contains(syncano("sockets", "delete", "rival"), "rival deleted")
    syncano("sockets", "delete", "greetings")
    equal(set(listed()), {"custom_socket_example"})

with step("install from an address"):
    syncano("sockets", "install", URL, "--name", "fetched", answers="Good evening\n")
    equal(settled("fetched")["status"], "ok")
    contains(syncano("sockets", "config", "fetched"), "Good evening")
    equal(run("fetched/greet")["result"]["stdout"], "Good evening, you")

finish()
