# SPDX-License-Identifier: MIT
"""vectors/SPECIFICATION.md, made from the chapters in vectors/specification/ and the data."""

import re

from . import coverage, exchange
from .data import for_clients, for_servers

GENERATED = "<!-- Made by ci/specification from specification/*.md, requirements.json, the vectors and the recordings. -->"
RULE = r"\b[A-Z][A-Z0-9]*(?:-[A-Z]+)?-\d\d\b"
PHOENIX = "https://github.com/phoenixframework/phoenix/blob/v{release}/{path}"


class Broken(Exception):
    """A chapter says something the data does not know."""


class Page:
    def __init__(self, suite):
        self.suite = suite
        self.rules = {rule["id"]: rule for rule in suite.rules}
        self.recordings = exchange.Recordings(suite.folder)
        self.shown = []  # sections whose rules a chapter has
        self.headings = []  # (level, number, title)
        self.targets = {}  # what links refer to, by their text

    def text(self):
        chapters = sorted((self.suite.folder / "specification").glob("*.md"))
        if not chapters:
            raise Broken("vectors/specification/ has no chapters")
        body = "\n\n".join(self._chapter(path) for path in chapters)
        missing = [section["id"] for section in self.suite.sections if section["id"] not in self.shown]
        if missing:
            raise Broken(f"no chapter has {{{{rules: {missing[0]}}}}}")
        title, _, rest = body.partition("\n")
        rest = rest.strip().replace("{{contents}}", self._contents())
        targets = [f"[{text}]: {target}" for text, target in sorted(self.targets.items())]
        return "\n".join([title, "", GENERATED, "", rest, "", *targets, ""])

    def _chapter(self, path):
        lines = []
        code = False
        for number, line in enumerate(path.read_text(encoding="utf-8").strip().split("\n"), 1):
            try:
                if line.startswith("```"):
                    code = not code
                if code:
                    lines.append(line)
                else:
                    lines.append(self._line(line))
            except (Broken, KeyError, ValueError) as error:
                raise Broken(f"{path.name}:{number}: {error}") from error
        return "\n".join(lines)

    def _line(self, line):
        heading = re.match(r"(##+) (.*)$", line)
        if heading:
            return self._heading(len(heading[1]), heading[2])
        placeholder = re.match(r"\{\{(\w+)(?:: (.*))?\}\}$", line)
        if not placeholder:
            return self._link(line)
        name, arguments = placeholder[1], placeholder[2]
        if name == "contents":
            return line
        makers = {
            "rules": self._rules_of_section,
            "exchange": lambda words: exchange.render(self.recordings, words),
            "counts": self._counts,
            "changes": self._changes,
            "since": self._since,
            "coverage": self._coverage,
            "unobserved": self._unobserved,
        }
        if name not in makers:
            raise Broken(f"{{{{{name}}}}} is not known")
        return makers[name](arguments)

    def _heading(self, level, title):
        if level == 2:
            chapter = sum(1 for other, _, _ in self.headings if other == 2) + 1
            number = f"{chapter}"
        else:
            chapter = sum(1 for other, _, _ in self.headings if other == 2)
            last = max(index for index, (other, _, _) in enumerate(self.headings) if other == 2)
            number = f"{chapter}.{len(self.headings) - last}"
        self.headings.append((level, number, title))
        return f'<a id="{anchor(number)}"></a>\n{"#" * level} {number} {title}'

    def _contents(self):
        return "\n".join(
            f"{'  ' * (level - 2)}- [{number} {title}](#{anchor(number)})" for level, number, title in self.headings
        )

    def _link(self, text):
        """The text with the ids in it, those inside code excepted, as links."""

        def link(match):
            name = match[0]
            if name not in self.rules:
                raise Broken(f"there is no rule {name}")
            return self._target(name, f"#{name.lower()}")

        parts = re.split(r"(`[^`]*`)", text)
        return "".join(part if part.startswith("`") else re.sub(RULE, link, part) for part in parts)

    def _target(self, text, target):
        """A link under this text."""
        if self.targets.setdefault(text, target) != target:
            raise Broken(f"{text} would be two links")
        return f"[{text}]"

    # ---- rules ----

    def _rules_of_section(self, section):
        if section not in [known["id"] for known in self.suite.sections]:
            raise Broken(f"there is no section {section}")
        if section in self.shown:
            raise Broken(f"the rules of {section} are there twice")
        self.shown.append(section)
        return "\n".join(self._rule(rule) for rule in self.suite.rules if rule["section"] == section)

    def _rule(self, rule):
        lines = [
            f'- <a id="{rule["id"].lower()}"></a>**{rule["id"]}** '
            f"({rule['level']}, {rule['role'] if rule['role'] != 'both' else 'server and client'}) "
            f"{self._link(code(rule['text']))}"
        ]
        if "conditions" in rule:
            lines.append(f"  - *{self._link(code(sentence(rule['conditions'])))}*")
        releases = self._release_notes(rule)
        if releases:
            lines.append(f"  - {releases}")
        lines.append(f"  - <sub>{self._checked_by(rule)} Source: {self._source(rule)}.</sub>")
        return "\n".join(lines)

    def _release_notes(self, rule):
        notes = []
        if "since" in rule:
            notes.append(f"Since {listed(rule['since'])}.")
        for change in rule.get("changes", []):
            since, until = change.get("since"), change.get("until")
            if since == until:
                when = f"In {until}"
            elif since and until:
                when = f"From {since} to {until}"
            else:
                when = f"From {since} on" if since else f"Until {until}"
            notes.append(f"{when}: {code(change['text'])}.")
        return " ".join(notes)

    def _checked_by(self, rule):
        words = []
        if for_servers(rule):
            cases = self.suite.citing(rule["id"])
            if cases:
                words.append(f"Vectors: {self._cases(cases)}.")
            elif "unobservable" in rule:
                words.append(f"No vector: {sentence(rule['unobservable'], small=True)}")
            else:
                words.append("No vector yet.")
        if for_clients(rule):
            cases = self.suite.citing(rule["id"], client=True)
            if cases:
                words.append(f"Vectors for clients: {self._cases(cases)}.")
            elif "unobservable_client" in rule:
                words.append(f"No vector for clients: {sentence(rule['unobservable_client'], small=True)}")
            else:
                words.append("No vector for clients yet.")
        return " ".join(words)

    def _cases(self, cases):
        return "; ".join(
            f"{self._target(group, file)} {', '.join(names)}" for group, file, names in by_file(cases)
        )

    def _source(self, rule):
        shown = []
        for source in rule["source"]:
            place, _, names = source.partition(": ")
            package, _, path = place.partition(" ")
            if package == "phoenix" and path:
                url = PHOENIX.format(release=self.suite.requirements["phoenix"], path=path)
                place = self._target(path.removeprefix("lib/phoenix/").removeprefix("assets/js/phoenix/"), url)
            shown.append(f"{place} {', '.join(f'`{name}`' for name in names.split(', ') if name)}".strip())
        return f"{'; '.join(shown)} ({', '.join(rule['evidence'])})"

    # ---- tables ----

    def _counts(self, _):
        def count(**wanted):
            return sum(all(rule[key] == value for key, value in wanted.items()) for rule in self.suite.rules)

        return (
            f"The rules are {len(self.suite.rules)}: {count(level='must')} *must*, {count(level='should')} *should*, "
            f"{count(level='may')} *may*; {count(role='server')} for servers, {count(role='client')} for clients, "
            f"{count(role='both')} for both."
        )

    def _changes(self, _):
        found = [
            (coverage.release(change.get("until") or change["since"]), change, rule)
            for rule in self.suite.rules
            for change in rule.get("changes", [])
        ]
        rows = ["| releases | rule | what they did instead |", "| --- | --- | --- |"]
        for _, change, rule in sorted(found, key=lambda entry: entry[0], reverse=True):
            since, until = change.get("since", ""), change.get("until", "")
            rows.append(
                f"| {until if since == until else f'{since} – {until}'} | {self._link(rule['id'])} {self._link(code(rule['text']))} "
                f"| {code(change['text'])} |"
            )
        return "\n".join(rows)

    def _since(self, _):
        begun = {}
        for rule in self.suite.rules:
            for name in rule.get("since", []):
                begun.setdefault(name, []).append(rule["id"])
        rows = ["| release | rules that hold from there on |", "| --- | --- |"]
        for name in sorted(begun, key=coverage.release, reverse=True):
            rows.append(f"| {name} | {self._link(', '.join(begun[name]))} |")
        return "\n".join(rows)

    def _coverage(self, _):
        header, *rows = coverage.rows(self.suite)
        named = [*header[:2], *(f"servers: {cell}" for cell in header[2:6]), *(f"clients: {cell}" for cell in header[6:])]
        return "\n".join(
            "| " + " | ".join(row) + " |" for row in [tuple(named), ("---",) * len(header), *rows]
        )

    def _unobserved(self, _):
        rows = ["| rule | why |", "| --- | --- |"]
        for rule in self.suite.rules:
            if "unobservable" in rule:
                rows.append(f"| {self._link(rule['id'])} ({rule['level']}) | {code(rule['unobservable'])} |")
        return "\n".join(rows)


def anchor(number):
    return "section-" + number.replace(".", "-")


def by_file(cases):
    """The names of the cases by the group and the file they are in: (group, file, names)."""
    names = {}
    for case in cases:
        group, name = case["id"].split(".", 1)
        names.setdefault((group, case["file"]), []).append(name)
    return [(group, file, found) for (group, file), found in names.items()]


def listed(words):
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text, small=False):
    """The text with a capital, unless it is the tail of a sentence, and a full stop."""
    begun = text if small or re.match(WORDS, text) else text[0].upper() + text[1:]
    return begun if begun.endswith(".") else begun + "."


WORDS = "|".join(
    (
        r"\bref\b|\bjoin_refs?\b|\bphx_\w+|\bpresence_\w+",
        r"(?<=topic )phoenix\b|(?<=event )heartbeat\b|(?<=status )(?:ok|error)\b",
        r"\b[xX]-[pP]hoenix-[\w-]+|\bcache-control: no-store\b|\baccess-control-allow-origin: \*",
        r"\bapplication/[\w-]+(?:; charset=utf-8)?",
        r"/websocket\b|/longpoll\b|\bvsn(?:=2\.0\.0)?\b|\bbase64url\.bearer\.phx\.…?|__proto__",
        r"\{[^}]*\}|\[[^\]]*\]",
    )
)


def code(text):
    """Names and values of the protocol in the text set as code."""
    return re.sub(WORDS, lambda match: f"`{match[0]}`", text)


# ---- the table of bugs ----


def bugs_text(suite):
    lines = [
        "# Bugs between implementations",
        "",
        GENERATED.replace("specification/*.md, requirements.json, the vectors and the recordings", "bugs.json and the vectors"),
        "",
        "What has kept clients and servers of the protocol from understanding each other, found in public trackers. Where a bug",
        "concerns servers, the cases that would have caught it name it as their source, and `phxspec server` runs them; where it",
        "concerns clients, those for clients, which `phxspec client` runs.",
        "",
        "| | reported as | what went wrong | rules | vectors for servers | vectors for clients |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for bug in suite.bugs:
        refs = ", ".join(reference(ref) for ref in bug["refs"])
        rules = ", ".join(f"[{name}](SPECIFICATION.md#{name.lower()})" for name in bug["requirements"])
        servers = _vectors_of_bug(suite, bug, "server", "no_vector")
        clients = _vectors_of_bug(suite, bug, "client", "no_client_vector")
        lines.append(f"| {bug['number']} | {refs} | {code(bug['text'])} | {rules} | {servers} | {clients} |")
    return "\n".join(lines) + "\n"


def _vectors_of_bug(suite, bug, role, reason):
    cases = coverage.cases_of_bug(suite, bug, client=role == "client")
    if cases:
        return "; ".join(f"[{group}]({file}) {', '.join(names)}" for group, file, names in by_file(cases))
    return code(bug[reason]) if role in bug["concerns"] else "not theirs"


def reference(ref):
    if ref.startswith("CVE-"):
        return f"[{ref}](https://www.cve.org/CVERecord?id={ref})"
    if ref.startswith("https://"):
        return f"[{ref.removeprefix('https://github.com/')}]({ref})"
    repository, number = ref.split("#")
    return f"[{ref}](https://github.com/{repository}/issues/{number})"
