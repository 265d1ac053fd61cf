# SPDX-License-Identifier: MIT
"""The files of vectors/: they follow their schemas, and each other."""

import json
import re

import jsonschema
import pytest

from testenv import env
from testenv.harness import cases, read_recordings

SCHEMAS = env.VECTORS / "schema"


def schema(name):
    """A validator for a schema of vectors/schema, which may refer to its neighbours."""
    store = {}
    for path in SCHEMAS.glob("*.json"):
        value = json.loads(path.read_text(encoding="utf-8"))
        store[value["$id"]] = store[path.name] = value
    chosen = store[name]
    validator = jsonschema.validators.validator_for(chosen)
    validator.check_schema(chosen)
    return validator(chosen, resolver=jsonschema.RefResolver(chosen["$id"], chosen, store=store))


def complaints(validator, value):
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in validator.iter_errors(value)
    ]


@pytest.mark.parametrize(
    "path",
    sorted((env.VECTORS / "server").rglob("*.json")) + sorted((env.VECTORS / "probe").rglob("*.json")),
    ids=lambda path: path.name,
)
def test_vectors_follow_their_schema(path):
    assert complaints(schema("vectors.schema.json"), json.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "path",
    [env.VECTORS / "client-beginnings.json", *sorted((env.VECTORS / "client").rglob("*.json"))],
    ids=lambda path: path.name,
)
def test_vectors_for_clients_follow_their_schema(path):
    assert complaints(schema("client-vectors.schema.json"), json.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "path",
    sorted((env.VECTORS / "profiles").glob("*.json")) + sorted((env.ROOT / "ci/targets").glob("*/profile.json")),
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_profiles_follow_their_schema(path):
    assert complaints(schema("profile.schema.json"), json.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "path", sorted(env.VECTORS.glob("*mutants/*.json")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_mutants_follow_their_schema(path):
    assert complaints(schema("mutants.schema.json"), json.loads(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "path",
    [
        *sorted((env.VECTORS / "expectations").glob("*.json")),
        *sorted((env.ROOT / "ci/drivers").glob("*/expectations.json")),
        *sorted((env.ROOT / "ci/targets").glob("*/expectations.json")),
    ],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_expectations_follow_their_schema(path):
    assert complaints(schema("expectations.schema.json"), json.loads(path.read_text(encoding="utf-8"))) == []


def test_the_example_of_expectations_follows_the_schema():
    text = (env.VECTORS / "expectations" / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```json\n(.*?)```", text, re.S).group(1)
    assert complaints(schema("expectations.schema.json"), json.loads(example)) == []


@pytest.mark.parametrize(
    "path",
    sorted((env.VECTORS / "recorded").glob("*/*.jsonl")),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_recordings_follow_their_schema(path):
    """Of each group the first recordings of either transport, and whatever has a field of its own."""
    validator = schema("recording.schema.json")
    seen = set()
    for recording in read_recordings(path):
        kinds = {(recording[0]["transport"], *sorted(recording[0]), *sorted(line)) for line in recording}
        if not kinds <= seen:
            seen |= kinds
            for line in recording:
                assert complaints(validator, line) == [], recording[0]["scenario"]


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"recording": 2},
        {"t_ms": 1},
        {"t_ms": "1", "conn": "a", "dir": "in", "kind": "text", "text": ""},
        [],
    ],
)
def test_the_schema_of_recordings_refuses_what_is_none(line):
    assert complaints(schema("recording.schema.json"), line)


@pytest.mark.parametrize("name", ["requirements", "bugs"])
def test_requirements_and_bugs_follow_their_schemas(name):
    value = json.loads((env.VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    assert complaints(schema(f"{name}.schema.json"), value) == []


@pytest.mark.parametrize(
    "change",
    [
        {"level": "shall"},
        {"id": "JREF-2"},
        {"observed": "none"},
        {"observed": "recording", "unobservable": "For a reason"},
        {"unobservable": "For a reason"},
        {"observed": "client"},
        {"since": ["1.8"]},
        {"text": None},
    ],
    ids=json.dumps,
)
def test_the_schema_of_requirements_refuses_what_is_none(change):
    value = json.loads((env.VECTORS / "requirements.json").read_text(encoding="utf-8"))
    rule = next(rule for rule in value["rules"] if rule["id"] == "JREF-02")
    for key, new in change.items():
        if new is None:
            del rule[key]
        else:
            rule[key] = new
    assert complaints(schema("requirements.schema.json"), value)


def test_ids_are_unique_and_begin_with_their_group():
    seen = set()
    for path in (env.VECTORS / "server").rglob("*.json"):
        vectors = json.loads(path.read_text(encoding="utf-8"))
        assert vectors["group"] == path.stem
        for case in vectors["cases"]:
            assert case["id"].startswith(vectors["group"] + ".") and case["id"] not in seen
            seen.add(case["id"])


def test_every_source_that_is_a_recording_exists():
    scenarios = {
        recording[0]["scenario"]
        for path in (env.VECTORS / "recorded").glob("*/*.jsonl")
        for recording in read_recordings(path)
    }
    for case in cases():
        for source in case.get("source", []):
            if "recording" in source:
                assert source["recording"] in scenarios, f"{case['id']}: {source['recording']}"
