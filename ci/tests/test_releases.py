# SPDX-License-Identifier: MIT
"""A case about a rule that came or changed within the releases phxspec knows says which ones it holds for."""

import json

from testenv import env
from testenv.harness import cases

OLDEST = (1, 6, 0)  # PHOENIX_OLDEST of harness/src/vectors/profile.h

# Rules that changed, but not in what their cases look at.
ALIKE = {
    "WS-CONN-01": "what changed is whether long-poll is offered unasked",
    "WS-CONN-07": "a status of 4xx before and after",
    "WS-CONN-08": "the recordings of 1.7.24 show the same order",
    "BIN-09": "what changed is a client",
    "BC-14": "what changed is the code of a WebSocket, which WS-CLOSE-02 is about",
    "LP-GET-05": "what changed is a race, which hardly ever shows",
}


def release(text):
    return tuple(int(number) for number in text.split("-")[0].split("."))


def changed_since_the_oldest(rule):
    """Whether an older release that is known behaved otherwise."""
    if "changes" in rule:
        return any(release(change.get("until", "0.0.0")) >= OLDEST for change in rule["changes"])
    return max(map(release, rule.get("since", ["0.0.0"]))) > OLDEST


def untagged(suite, rules):
    return [
        f"{case['id']}: {name}"
        for case in suite
        for name in case["requirements"]
        if name not in ALIKE
        and changed_since_the_oldest(rules.get(name, {}))
        and not case.keys() & {"phoenix", "known_defects"}
    ]


def test_cases_about_rules_that_changed_name_their_releases():
    content = json.loads((env.VECTORS / "requirements.json").read_text(encoding="utf-8"))
    rules = {rule["id"]: rule for rule in (content["rules"] if "rules" in content else content)}
    assert untagged(cases(), rules) == []


def test_a_case_without_releases_would_be_found():
    rules = {
        "A-01": {"since": ["1.8.3"]},
        "A-02": {"since": ["1.4.0"]},
        "A-03": {"changes": [{"since": "1.8.6", "until": "1.8.6", "text": "t"}]},
        "A-04": {"since": ["1.8.3"], "changes": [{"until": "1.5.6", "text": "t"}]},
    }
    suite = [{"id": f"case-{name}", "requirements": [name]} for name in rules]
    assert untagged(suite, rules) == ["case-A-01: A-01", "case-A-03: A-03"]
    suite[0]["phoenix"] = {"since": "1.8.3"}
    suite[2]["known_defects"] = []
    assert untagged(suite, rules) == []
