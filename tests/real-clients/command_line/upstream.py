"""The tests that the command's authors shipped with it, as far as they can run here."""

import os
import unittest

import syncano

from steps import finish, step

# What those tests call the settings that the client reads from its own variables.
os.environ["INTEGRATION_API_ROOT"] = syncano.API_ROOT
os.environ["INTEGRATION_API_EMAIL"] = syncano.EMAIL
os.environ["INTEGRATION_API_PASSWORD"] = syncano.PASSWORD

# The others are about what the server doesn't have: data classes (`sync`), hosting, migration from another platform.
MODULES = [
    "tests.test_account",
    "tests.test_config_commands",
    "tests.test_custom_sockets_commands",
    "tests.test_execute_commands",
    "tests.test_instances",
]

# `sockets.py` here does the same as each of these.
LEFT_OUT = {
    "test_url_install": "installs from an address of 2016",
    "test_dir_install": "writes to a fixed place outside of this program's folder",
    "test_template_from_socket": "likewise",
    "test_template_from_local": "likewise",
}


def tests_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_of(item)
        elif item._testMethodName not in LEFT_OUT:
            yield item


class Result(unittest.TestResult):
    """Each test is a step."""

    def stopTest(self, test) -> None:
        with step(test.id()):
            self.raise_new()
        super().stopTest(test)

    def raise_new(self) -> None:
        problems = [text for _, text in self.errors + self.failures]
        self.errors, self.failures = [], []
        if problems:
            raise AssertionError("\n".join(problems))


result = Result()
loaded = unittest.defaultTestLoader.loadTestsFromNames(MODULES)
unittest.TestSuite(tests_of(loaded)).run(result)
with step("every class of tests could start and end"):
    result.raise_new()
finish()
