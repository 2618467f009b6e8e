"""Test files are written and run in a directory of their own."""

from dataclasses import dataclass, field

import pytest

from sievemda.sieve.testing.runner import Order, run_file

REQUIRE = (
    'require ["vnd.dovecot.testsuite", "envelope", "variables", "relational", "comparator-i;ascii-numeric", "include", '
    '"date", "editheader", "subaddress", "fileinto", "ihave", "foreverypart", "mime"];\n'
)


@dataclass
class Files:
    """`run` writes a test file, whose first line requires what there is, and runs it."""

    directory: object
    said: list = field(default_factory=list)
    told: list = field(default_factory=list)

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run(self, text, name="t.svtest", **order):
        path = self.write(name, REQUIRE + text)
        return run_file(path, Order(say=self.said.append, told=self.told.append, **order))

    def passes(self, text, **order):
        """All tests of it pass, and there is one."""
        result = self.run(text, **order)
        assert [(case.name, case.message) for case in result.cases if case.status != "passed"] == []
        assert (result.error, result.status) == (None, "passed")
        assert result.cases


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)
