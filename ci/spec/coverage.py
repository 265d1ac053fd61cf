# SPDX-License-Identifier: MIT
"""Whether every rule has its vector or a stated reason, and every vector its rule."""

from .data import for_clients, for_servers

LEVELS = ("may", "should", "must")


def release(text):
    return tuple(int(part) for part in text.split("."))


def flaws(suite):
    """What is wrong, a line each; empty when nothing is."""
    return [
        *_flaws_of_requirements(suite),
        *_flaws_of_cases(suite),
        *_flaws_of_coverage(suite),
        *_flaws_of_bugs(suite),
    ]


def _flaws_of_requirements(suite):
    order = [section["id"] for section in suite.sections]
    seen = set()
    place = 0
    for rule in suite.rules:
        name = rule["id"]
        if name in seen:
            yield f"{name}: there twice"
        seen.add(name)
        if rule["section"] not in order:
            yield f"{name}: section {rule['section']} is not among the sections"
        elif order.index(rule["section"]) < place:
            yield f"{name}: stands behind a later section than its own, {rule['section']}"
        else:
            place = order.index(rule["section"])
        for recording in rule.get("recordings", []):
            if recording not in suite.recordings:
                yield f"{name}: there is no recording {recording}"
        since = [release(text) for text in rule.get("since", [])]
        if since != sorted(since):
            yield f"{name}: since is not in order"
        for change in rule.get("changes", []):
            if {"since", "until"} <= change.keys() and release(change["since"]) > release(change["until"]):
                yield f"{name}: a change ends before it begins"
    for section in order:
        if not any(rule["section"] == section for rule in suite.rules):
            yield f"section {section} has no rules"


def _flaws_of_cases(suite):
    rules = {rule["id"]: rule for rule in suite.rules}
    for cases, meant, whom in (
        (suite.cases, for_servers, "servers"),
        (suite.client_cases, for_clients, "clients"),
    ):
        for case in cases:
            if not case["requirements"]:
                yield f"{case['id']}: cites no requirement"
            for name in case["requirements"]:
                if name not in rules:
                    yield f"{case['id']}: there is no requirement {name}"
                elif not meant(rules[name]):
                    yield f"{case['id']}: {name} is no requirement for {whom}"
            cited = [LEVELS.index(rules[name]["level"]) for name in case["requirements"] if name in rules]
            if cited and LEVELS.index(case["level"]) > max(cited):
                yield f"{case['id']}: level {case['level']}, and no requirement of it is as strict"


def _flaws_of_coverage(suite):
    for rule in suite.rules:
        name = rule["id"]
        cited = bool(suite.citing(name))
        if for_servers(rule):
            if cited and "unobservable" in rule:
                yield f"{name}: has a vector, so its reason for having none must go"
            if not cited and "unobservable" not in rule:
                yield f"{name}: no vector cites it, and no reason is given"
        if for_clients(rule):
            cited = bool(suite.citing(name, client=True))
            reason = "unobservable_client" in rule
            if cited and reason:
                yield f"{name}: has a vector for clients, so its reason for having none must go"
            if not cited and not reason:
                yield f"{name}: no vector for clients cites it, and no reason is given"


def _flaws_of_bugs(suite):
    rules = {rule["id"] for rule in suite.rules}
    known = set()
    for bug in suite.bugs:
        known.update(bug["refs"])
        name = f"bug {bug['number']} ({bug['refs'][0]})"
        for requirement in bug["requirements"]:
            if requirement not in rules:
                yield f"{name}: there is no requirement {requirement}"
        cases = cases_of_bug(suite, bug)
        reason = "no_vector" in bug
        if "server" in bug["concerns"] and not cases and not reason:
            yield f"{name}: concerns servers, no vector names it as its source, and no reason is given"
        if cases and reason:
            yield f"{name}: has a vector, so its reason for having none must go"
        cases = cases_of_bug(suite, bug, client=True)
        reason = "no_client_vector" in bug
        if "client" in bug["concerns"] and suite.client_cases and not cases and not reason:
            yield f"{name}: concerns clients, no vector for them names it as its source, and no reason is given"
        if cases and reason:
            yield f"{name}: has a vector for clients, so its reason for having none must go"
    for case in [*suite.cases, *suite.client_cases]:
        for source in case.get("source", []):
            if "bug" in source and source["bug"] not in known:
                yield f"{case['id']}: the bug {source['bug']} is not in bugs.json"


def cases_of_bug(suite, bug, client=False):
    """The cases that name the bug, by any of its references."""
    return [
        case
        for case in (suite.client_cases if client else suite.cases)
        if any(source.get("bug") in bug["refs"] for source in case.get("source", []))
    ]


COLUMNS = (
    *("rules", "vector", "recording", "reason", "missing"),
    *("client vector", "client reason", "client missing"),
)


def counts_by_section(suite):
    """For each section how its rules are checked: a list of (title, {column: count})."""
    table = []
    for section in suite.sections:
        counts = dict.fromkeys(COLUMNS, 0)
        for rule in suite.rules:
            if rule["section"] != section["id"]:
                continue
            counts["rules"] += 1
            if for_servers(rule):
                counts[_way_of_server(suite, rule)] += 1
            if for_clients(rule):
                counts[_way_of_client(suite, rule)] += 1
        table.append((section["title"], counts))
    total = {column: sum(counts[column] for _, counts in table) for column in COLUMNS}
    return [*table, ("all", total)]


def _way_of_server(suite, rule):
    if suite.citing(rule["id"]):
        return "vector"
    if rule["observed"] == "recording":
        return "recording"
    return "reason" if "unobservable" in rule else "missing"


def _way_of_client(suite, rule):
    if suite.citing(rule["id"], client=True):
        return "client vector"
    return "client reason" if "unobservable_client" in rule else "client missing"


def rows(suite):
    """The table as rows of text: for servers, then for clients."""
    yield ("section", "rules", "vector", "recording", "reason", "missing", "vector", "reason", "missing")
    for title, counts in counts_by_section(suite):
        yield (title, *(str(counts[column] or "") for column in COLUMNS))
