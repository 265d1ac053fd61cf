# SPDX-License-Identifier: MIT
import pytest

from testenv import env
from testenv.server import Server


@pytest.fixture
def start_server(tmp_path):
    """Starts reference servers; each must end in order when its test is over."""
    servers = []

    def start(*options, **settings):
        servers.append(Server(tmp_path, *options, **settings))
        return servers[-1]

    yield start
    errors = []
    for server in servers:
        try:
            server.stop()
        except Exception as error:  # the others are to be stopped, too
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.fixture
def start_plain_server(start_server):
    """The same, built without sanitizers."""
    return lambda *options: start_server(*options, program=env.server(plain=True))


@pytest.fixture
def server(start_server):
    """A reference server as it comes."""
    return start_server()


@pytest.fixture
def report(tmp_path):
    """Where phxspec is to write its report."""
    return tmp_path / "report.jsonl"
