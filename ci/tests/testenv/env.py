# SPDX-License-Identifier: MIT
"""Where things are. What is missing is an error, never a reason to skip."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
VECTORS = ROOT / "vectors"

# One deadline for what should take no time at all; generous, since machines that test are busy.
PROMPT = 10.0

# 99 is no exit code of our programs: a report never looks like one of their own results.
SANITIZER_EXIT = 99
SANITIZERS = {
    "ASAN_OPTIONS": f"exitcode={SANITIZER_EXIT}:detect_leaks=1:quarantine_size_mb=16",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "LSAN_OPTIONS": f"exitcode={SANITIZER_EXIT}",
}


def _folder(variable, what):
    value = os.environ.get(variable)
    if not value:
        raise RuntimeError(f"{variable} is not set: name the folder of a build {what}")
    folder = pathlib.Path(value).resolve()
    if not folder.is_dir():
        raise RuntimeError(f"{variable}={value}: no such folder; make it with `meson setup`")
    return folder


def program(name, plain=False):
    """A program of the build with sanitizers, or of the plain one."""
    variable, what = (
        ("PHXSPEC_BUILD_PLAIN", "without sanitizers") if plain else ("PHXSPEC_BUILD", "with sanitizers")
    )
    path = _folder(variable, what) / name
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{path} is missing: build it with `ninja -C {path.parents[1]}`")
    return path


def server(plain=False):
    return program("reference-server/phxspec-server", plain)


def faulty_server():
    """The server that can be told to break a rule."""
    return _folder("PHXSPEC_BUILD_FAULTS", "with -Dfaults=true") / "reference-server/phxspec-server"


def faulty_client():
    """The client that can be told to break a rule."""
    return _folder("PHXSPEC_BUILD_FAULTS", "with -Dfaults=true") / "reference-client/phxspec-client"


def harness(plain=False):
    return program("harness/phxspec", plain)


def environment():
    return {**os.environ, **SANITIZERS}
