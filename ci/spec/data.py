# SPDX-License-Identifier: MIT
"""The data in vectors/, read: requirements, cases, bugs, names of recordings."""

import json
import pathlib

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "vectors"


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


class Suite:
    """Everything that refers to requirements. `folder` is laid out as vectors/ is."""

    def __init__(self, folder=VECTORS):
        self.folder = folder
        self.requirements = read_json(folder / "requirements.json")
        self.bugs = read_json(folder / "bugs.json")["bugs"]
        self.cases = self._cases("server")
        self.client_cases = self._cases("client")
        self.recordings = {
            scenario
            for path in sorted((folder / "recorded").glob("*/*.jsonl"))
            for scenario in _scenarios(path)
        }

    @property
    def rules(self):
        return self.requirements["rules"]

    @property
    def sections(self):
        return self.requirements["sections"]

    def _cases(self, kind):
        cases = []
        for path in sorted((self.folder / kind).rglob("*.json")):
            for case in read_json(path)["cases"]:
                cases.append({**case, "file": path.relative_to(self.folder).as_posix()})
        return cases

    def citing(self, rule_id, client=False):
        """The cases that cite the rule."""
        cases = self.client_cases if client else self.cases
        return [case for case in cases if rule_id in case["requirements"]]


def _scenarios(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith('{"recording"'):
                yield json.loads(line)["scenario"]


def for_servers(rule):
    return rule["role"] in ("server", "both")


def for_clients(rule):
    return rule["role"] in ("client", "both")
