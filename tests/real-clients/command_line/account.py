"""`syncano login`, `accounts`, `instances` and `config`."""

import os
import pathlib

from command import fails, syncano
from steps import contains, equal, finish, step

SETTINGS = pathlib.Path.home() / ".syncano"

with step("login with e-mail and password"):
    contains(syncano("login"), "Login successful")
    contains(SETTINGS.read_text(), "key = ")

with step("create an instance"):
    contains(syncano("instances", "create", "first-instance", "--description", "the first"), "created")
    syncano("instances", "create", "second-instance")

with step("a name is taken once"):
    contains(fails("instances", "create", "first-instance"), "SyncanoLibraryException")

with step("the default instance"):
    contains(syncano("instances", "default", "first-instance"), "set as default")
    contains(SETTINGS.read_text(), "instance_name = first-instance")

with step("list the instances"):
    listed = syncano("instances", "list")
    contains(listed, "first-instance (default): the first")
    contains(listed, "second-instance: no description")

with step("details of an instance"):
    details = syncano("instances", "details", "first-instance")
    contains(details, "Name: first-instance")
    contains(details, "Description: the first")
    contains(details, f"Owner: {os.environ['SYNCANO_EMAIL']}")

with step("configuration"):
    equal(syncano("config").strip(), "Config for instance first-instance")
    contains(syncano("config", "add", "greeting", "Hello"), "Variable `greeting` set to `Hello`.")
    contains(fails("config", "add", "greeting", "again"), "already in config")
    contains(syncano("config", "modify", "greeting", "Hi"), "set to `Hi`")
    syncano("config", "add", "colour", "blue")
    contains(syncano("config"), "Hi")
    syncano("config", "delete", "colour")
    assert "blue" not in syncano("config")
    contains(fails("config", "delete", "colour"), "not found")

with step("another instance than the default one"):
    equal(syncano("config", "--instance-name", "second-instance").strip(), "Config for instance second-instance")
    contains(fails("config", "--instance-name", "no-such-instance"), "`no-such-instance` not found")

with step("delete an instance"):
    syncano("instances", "delete", "second-instance", answers="second-instance\n")
    assert "second-instance" not in syncano("instances", "list")

with step("register"):
    said = syncano("accounts", "register", "newcomer@example.com", "--password", "a password")
    contains(said, "Registration successful")
    # The new account's key is the one in the settings now, and it has no instances yet.
    equal(syncano("instances", "list").strip(), "Available Instances:")

finish()
