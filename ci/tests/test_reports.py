# SPDX-License-Identifier: MIT
"""The reports of `phxspec server` and `phxspec report`, read by tools that are not ours."""

import collections
import html.parser
import json
import os
import pty
import re
import shutil
import subprocess
import xml.etree.ElementTree
import zlib

import pytest

from test_data import complaints, schema
from testenv import env
from testenv.harness import LACKS, judge, phxspec
from testenv.peers import Change, Chatter, Proxy
from testenv.server import Server
from testenv.wire import TEXT, frame

SUFFIXES = ["jsonl", "xml", "tap", "md", "html", "txt"]
GOLDEN = env.ROOT / "ci" / "tests" / "reports" / "every-verdict.jsonl"
BROWSER_S = 60  # on a machine that is busy

# What must not be in any report as it is: C0 but the line feed, DEL, C1, what changes the direction, what is
# invisible, what XML cannot hold.
UNCLEAN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff]"
)


def all_reports(folder, stem):
    return [folder / f"{stem}.{suffix}" for suffix in SUFFIXES]


def asking_for(paths):
    return [word for path in paths for word in ("--report", path)]


def read_events(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def verdicts_of(path):
    return {event["variant"]: event["verdict"] for event in read_events(path) if event["event"] == "verdict"}


def outcomes_of(path):
    """The same, but "tolerated" for a failure that does not fail the run."""
    return {
        event["variant"]: "tolerated" if event.get("tolerated") else event["verdict"]
        for event in read_events(path)
        if event["event"] == "verdict"
    }


def write_events(path, events):
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return path


class EmptyResponse(Change):
    """Answers, and leaves out what the answer says."""

    def messages(self, message, held):
        if message.is_reply and isinstance(message.payload, dict):
            message.payload = {**message.payload, "response": {}}
        return [message]


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def failed(target, tmp_path_factory):
    """A run with failures: its folder, with a report in every format, and what it printed."""
    folder = tmp_path_factory.mktemp("failed")
    with Proxy(target.port, EmptyResponse()) as proxy:
        run = judge(
            proxy.url,
            *("--run", "join_ref.*", "--run", "heartbeat.*", "--run", "push.reply-[!l]*"),
            *asking_for(all_reports(folder, "live")),
        )
    assert run.code == 1, run.err
    return folder, run


@pytest.fixture(scope="module")
def passed(target, tmp_path_factory):
    """The same cases where all is well."""
    folder = tmp_path_factory.mktemp("passed")
    run = judge(
        target.url,
        *("--run", "join_ref.*", "--run", "heartbeat.*", "--run", "push.reply-[!l]*", "--run", "close.tcp-lost"),
        *asking_for(all_reports(folder, "live")),
    )
    assert run.code == 0, run.err
    return folder, run


EVIL = (
    "\x9b31m\u202eevil\u2066\u2028\u200b\ufeff\U000e0041 ]]> --> </pre></code></script>"
    "<script>document.title='pwned'</script><img src=x onerror=alert(1)> ```\n````|a|b| "
    "*x* `y` &amp; &#10; %s%n \x1b[2J\x1b]0;title\x07 \x00\r\n...\n  ...\nok 99 - no\nBail out! no # SKIP \\"
)


class Hostile(Chatter):
    """Answers everything with all that might confuse a terminal, a browser or a parser."""

    def __init__(self):
        text = json.dumps(EVIL, ensure_ascii=False)[1:-1].encode()
        answer = b'[null,"1","phoenix","phx_reply",{"status":"ok","response":{"x":"%s"}}]' % text
        super().__init__(
            frame(TEXT, answer, masked=False)
            + frame(TEXT, b'[null,"1","phoenix","phx_reply","\\ud800"]', masked=False)
            + frame(TEXT, b"\xff\xfe\x00\x1b[31m" + EVIL.encode(), masked=False)
            + frame(TEXT, b"A" * (10 << 20), masked=False)
        )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    with Hostile() as peer:
        run = judge(
            peer.url,
            *("--run", "heartbeat.*/ws/v2", "--run", "join.ok", "--jobs", "4"),
            *asking_for(all_reports(folder, "live")),
        )
    assert run.code == 1, run.err
    return folder, run


# ---- what was shown of the requirements ----

STANDINGS = ["failed", "failed and excused", "passed", "not observable with this target"]  # the worst decides


def standing_of(event):
    if event["verdict"] == "fail":
        return STANDINGS[1 if event.get("tolerated") else 0]
    assert event["verdict"] in ("pass", "not applicable"), event
    return STANDINGS[2 if event["verdict"] == "pass" else 3]


@pytest.mark.parametrize("which", ["failed", "passed"])
def test_the_requirements_are_summed_up(which, request):
    folder, live = request.getfixturevalue(which)
    seen = {}
    for event in read_events(folder / "live.jsonl"):
        if event["event"] == "verdict":
            for name in event["requirements"]:
                seen.setdefault(name, []).append(standing_of(event))
    words = {name: min(standings, key=STANDINGS.index) for name, standings in seen.items()}
    count = collections.Counter(words.values())
    assert count["failed" if which == "failed" else "passed"] > 3
    order = [STANDINGS[i] for i in (2, 0, 1, 3)]
    line = f"{len(words)} requirements: " + ", ".join(f"{count[word]} {word}" for word in order if count[word])
    assert re.search(rf"^{line}$", live.out, re.M), (line, live.out[-500:])
    assert line in (folder / "live.md").read_text(encoding="utf-8")
    page = (folder / "live.html").read_text(encoding="utf-8")
    assert f"<p>{line}.</p>" in page
    table = page[page.index('<section id="requirements">') :]
    for name, word in words.items():
        row = re.search(rf'<tr><th scope="row"><code>{name}</code>.*?</tr>', table, re.S).group(0)
        assert f">{word}</span>" in row, row


# ---- one stream, the same bytes ----


@pytest.mark.parametrize("which", ["failed", "passed", "hostile"])
def test_a_saved_run_looks_as_it_did_live(which, request, tmp_path):
    folder, live = request.getfixturevalue(which)
    again = phxspec("report", folder / "live.jsonl", *asking_for(all_reports(tmp_path, "live")))
    assert again.code == live.code, again.err
    assert again.out == live.out
    for suffix in SUFFIXES:
        assert (tmp_path / f"live.{suffix}").read_bytes() == (folder / f"live.{suffix}").read_bytes(), suffix
    assert (tmp_path / "live.txt").read_text(encoding="utf-8") == live.out


@pytest.mark.parametrize("suffix", ["txt", "tap", "xml", "md"])
def test_every_verdict_looks_as_it_should(suffix, tmp_path):
    """To accept a change: phxspec report ci/tests/reports/every-verdict.jsonl --report …/every-verdict.SUFFIX"""
    path = tmp_path / f"made.{suffix}"
    run = phxspec("report", GOLDEN, "--report", path)
    assert run.code == 1
    assert path.read_text(encoding="utf-8") == GOLDEN.with_suffix(f".{suffix}").read_text(encoding="utf-8")


@pytest.mark.parametrize("which", ["failed", "passed", "hostile"])
def test_no_report_holds_what_is_not_what_it_looks_like(which, request):
    folder, run = request.getfixturevalue(which)
    for path in all_reports(folder, "live"):
        text = path.read_bytes().decode("utf-8", errors="strict")
        found = UNCLEAN.search(text)
        assert found is None, f"{path.name}: {text[found.start() - 100:found.end() + 100]!r}"
        assert path.stat().st_size < 1 << 20, path.name
    assert UNCLEAN.search(run.out) is None
    if which == "hostile":
        assert r"\x9b31m" in run.out or r"\u009b31m" in run.out, "it was to be shown"


# ---- events ----


@pytest.mark.parametrize("which", ["failed", "passed", "hostile"])
def test_events_follow_their_schema(which, request):
    folder, _ = request.getfixturevalue(which)
    validator = schema("report.schema.json")
    for event in read_events(folder / "live.jsonl"):
        assert complaints(validator, event) == []


def test_the_schema_knows_every_verdict_and_refuses_what_is_no_event():
    validator = schema("report.schema.json")
    events = read_events(GOLDEN)
    for event in events:
        assert complaints(validator, event) == []
        assert complaints(validator, {**event, "surprise": 1})
        assert complaints(validator, {key: value for key, value in event.items() if key != "event"})
    assert complaints(validator, {**events[-2], "reason": "\x1b[31m"})
    assert complaints(validator, {**events[-2], "verdict": "flaky"})


def test_events_come_in_order_and_the_sum_is_right(failed):
    events = read_events(failed[0] / "live.jsonl")
    kinds = [event["event"] for event in events]
    planned = [event["variant"] for event in events if event["event"] == "planned"]
    verdicts = [event for event in events if event["event"] == "verdict"]
    assert kinds[:2] == ["run", "requirements"] and kinds[-1] == "summary"
    assert kinds[2 : 2 + len(planned)] == ["planned"] * len(planned)
    assert [event["variant"] for event in verdicts] == planned
    assert {event["variant"] for event in events if event["event"] == "started"} == set(planned)
    closing = events[-1]
    assert closing["planned"] == len(planned) == events[0]["planned"] == sum(closing["counts"].values())
    assert closing["exit"] == 1 and closing["complete"] is True
    for verdict in verdicts:
        assert ("transcript" in verdict) == (verdict["verdict"] != "pass")
        assert all(name in events[1]["requirements"] for name in verdict["requirements"])


def test_a_failure_explains_itself(failed):
    for event in read_events(failed[0] / "live.jsonl"):
        if event.get("verdict") == "fail":
            assert 1 <= event["step"] <= event["steps"] + 1 and event["reason"]
            assert any(entry["direction"] == "received" for entry in event["transcript"])
    assert any("diff" in event for event in read_events(failed[0] / "live.jsonl"))


def test_with_trace_what_passed_is_told_too(target, tmp_path):
    path = tmp_path / "traced.jsonl"
    run = judge(target.url, "--run", "heartbeat.ok", "--trace", "--report", path)
    verdicts = [event for event in read_events(path) if event["event"] == "verdict"]
    assert run.code == 0 and verdicts and all(event["transcript"] for event in verdicts)
    again = phxspec("report", "--trace", path)
    assert again.out == run.out and "→" in run.out


# ---- JUnit ----


def validate_junit(path):
    done = subprocess.run(
        ["xmllint", "--noout", "--nonet", "--schema", env.ROOT / "ci" / "junit" / "junit-10.xsd", path],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return xml.etree.ElementTree.parse(path).getroot()


@pytest.mark.parametrize("which", ["failed", "passed", "hostile"])
def test_junit_is_valid_and_says_the_same(which, request):
    folder, _ = request.getfixturevalue(which)
    root = validate_junit(folder / "live.xml")
    told = {
        "fail": "failure",
        "tolerated": "skipped",
        "harness error": "error",
        "not run": "error",
        "not applicable": "skipped",
        "pass": None,
    }
    expected = {name: told[verdict] for name, verdict in outcomes_of(folder / "live.jsonl").items()}
    found = {case.get("name"): case[0].tag if len(case) else None for case in root.iter("testcase")}
    assert found == expected
    for suite in root:
        tags = [child.tag for case in suite.iter("testcase") for child in case]
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute)) == tags.count(tag)


def test_junit_tells_what_is_excused_as_skipped(tmp_path):
    path = tmp_path / "made.xml"
    phxspec("report", GOLDEN, "--report", path)
    outcomes = {case.get("name"): case[0] for case in validate_junit(path).iter("testcase") if len(case)}
    assert outcomes["made.expected/lp/v1"].tag == outcomes["made.tolerated/ws/v2"].tag == "skipped"
    assert "known since May (https://example.org/issues/1)" in outcomes["made.expected/lp/v1"].get("message")
    assert outcomes["made.surprise/ws/v2"].tag == "failure"


# ---- TAP ----


PARSE_TAP = r"""
use strict; use warnings; use TAP::Parser; use JSON::PP;
local $/; my $tap = <STDIN>;
$tap =~ s/\ATAP version 14\n/TAP version 13\n/ or die "no version line";  # this parser stops at 13
my $parser = TAP::Parser->new({tap => $tap});
my (%points, $bailed, $yaml);
while (my $result = $parser->next) {
    $points{$result->number . $result->description} = $result->is_ok ? ($result->has_skip ? "skip" : $result->has_todo ? "todo" : "ok") : "not ok"
        if $result->is_test;
    $bailed = $result->explanation if $result->is_bailout;
    $yaml++ if $result->is_yaml;
}
print encode_json({points => \%points, errors => [$parser->parse_errors], planned => $parser->tests_planned,
                   bailed => $bailed, yaml => $yaml // 0, good => $parser->has_problems ? 0 : 1});
"""


def parse_tap(path):
    done = subprocess.run(["perl", "-e", PARSE_TAP], stdin=path.open("rb"), capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("which", ["failed", "passed", "hostile"])
def test_a_tap_parser_reads_the_same(which, request):
    folder, _ = request.getfixturevalue(which)
    tap = parse_tap(folder / "live.tap")
    told = {"pass": "ok", "fail": "not ok", "tolerated": "todo", "not applicable": "skip"}
    verdicts = outcomes_of(folder / "live.jsonl")
    assert tap["errors"] == [] and tap["planned"] == len(verdicts) and tap["bailed"] is None
    assert tap["points"] == {
        f"{number}- {name}": told[verdict] for number, (name, verdict) in enumerate(verdicts.items(), start=1)
    }
    assert tap["yaml"] == sum(verdict in ("fail", "tolerated") for verdict in verdicts.values())
    assert bool(tap["good"]) == (which == "passed")


def test_tap_of_several_runs_is_one_stream(passed, failed, tmp_path):
    path = tmp_path / "both.tap"
    phxspec("report", passed[0] / "live.jsonl", failed[0] / "live.jsonl", "--report", path)
    tap = parse_tap(path)
    assert tap["errors"] == [] and tap["planned"] == len(tap["points"])


# ---- Markdown ----


def test_markdown_of_a_great_many_failures_fits(failed, tmp_path):
    """GitHub takes 1 MiB of a summary."""
    events = read_events(failed[0] / "live.jsonl")
    model = next(event for event in events if event.get("verdict") == "fail")
    model["transcript"] = [
        {"ms": 1.0, "client": "a", "direction": "received", "text": "`" * 300} for _ in range(90)
    ]
    names = [f"join_ref.made-{number}/ws/v2" for number in range(110)]
    made = [{**model, "variant": name, "case": name[:-6]} for name in names]
    plan = ("event", "variant", "case", "group", "title", "level", "transport", "vsn", "requirements")
    planned = [{**{key: event[key] for key in plan}, "event": "planned"} for event in made]
    run = {**events[0], "planned": len(made)}
    closing = {**events[-1], "planned": len(made), "counts": {"fail": len(made)}}
    saved = write_events(tmp_path / "many.jsonl", [run, events[1], *planned, *made, closing])
    path = tmp_path / "many.md"
    assert phxspec("report", "--quiet", saved, "--report", path).code == 1
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 1 << 20
    assert re.search(r"\d+ more do not fit here", text)
    assert text.count("<details>") == text.count("</details>")
    assert "`" * 301 in text  # the fences are longer than what is inside


# ---- HTML ----


class Page(html.parser.HTMLParser):
    """What a page is made of, without a browser."""

    VOID = {"meta", "input", "br", "link", "img", "hr"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attributes]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)


@pytest.mark.parametrize("which", ["failed", "passed", "hostile"])
def test_the_page_is_whole_by_itself(which, request):
    folder, _ = request.getfixturevalue(which)
    page = Page((folder / "live.html").read_text(encoding="utf-8"))
    for tag, name, value in page.attributes:
        assert name not in ("src", "srcset", "data", "action", "onerror", "onload"), (tag, name, value)
        if name == "href":
            assert value.startswith("#"), value
    assert not {"img", "link", "iframe", "object"} & set(page.tags)
    assert page.tags.count("script") == 1 and page.tags.count("h1") == 1
    text = "".join(page.text)
    for event in read_events(folder / "live.jsonl"):
        if event["event"] == "verdict":
            assert event["variant"] in text and event["title"] in text
            if event["verdict"] == "fail":
                assert event["reason"].split("\n")[0] in text
                assert all(entry["text"] in text for entry in event["transcript"])
    if which == "failed":
        requirements = read_events(folder / "live.jsonl")[1]["requirements"]
        assert any(rule["text"] in text for rule in requirements.values())


def browse(folder, path, *options):
    done = subprocess.run(
        [
            "chromium",
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
            f"--user-data-dir={folder / 'profile'}",
            *options,
            path if str(path).startswith("file:") else path.as_uri(),
        ],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=BROWSER_S,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.decode()


def first_pixel(png):
    """Red, green, blue of the upper left corner."""
    data = png.read_bytes()
    assert data.startswith(b"\x89PNG")
    inside, at = b"", 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            inside += data[at + 8 : at + 8 + length]
        at += 12 + length
    return tuple(zlib.decompress(inside)[1:4])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_the_page_in_either_scheme(scheme, failed, tmp_path):
    shot = tmp_path / f"{scheme}.png"
    dark = ["--blink-settings=preferredColorScheme=0", "--force-dark-mode"] if scheme == "dark" else []
    browse(tmp_path, failed[0] / "live.html", "--window-size=1280,1600", f"--screenshot={shot}", *dark)
    corner = first_pixel(shot)
    assert (max(corner) < 64) if scheme == "dark" else (min(corner) > 192), corner
    if os.environ.get("PHXSPEC_SHOTS"):
        shutil.copy(shot, os.environ["PHXSPEC_SHOTS"])


MEASURE = """<script>
for (const details of document.querySelectorAll('.case details')) details.open = true;
const tables = [...document.querySelectorAll('.timeline')].map((table) => table.parentElement);
const cut = tables.filter((box) => box.scrollWidth > box.clientWidth + 1);
document.title = `${cut.length} of ${tables.length} cut, page ${document.documentElement.scrollWidth - innerWidth}`;
</script>"""


def test_a_narrow_window_cuts_nothing_of_what_was_said(failed, tmp_path):
    page = tmp_path / "narrow.html"
    page.write_text((failed[0] / "live.html").read_text(encoding="utf-8") + MEASURE, encoding="utf-8")
    dom = browse(tmp_path, page, "--window-size=480,900", "--dump-dom")
    cut, tables, wider = map(int, re.search(r"<title>(\d+) of (\d+) cut, page (-?\d+)", dom).groups())
    assert cut == 0 < tables and wider <= 0


def rows(dom):
    """The variants of a page after its script has run: name -> shown."""
    return {
        name: " hidden" not in attributes
        for attributes, name in re.findall(r'<tr([^>]*)><td><code>([^<]+)</code>', dom)
    }


def test_a_browser_filters(failed, tmp_path):
    uri = (failed[0] / "live.html").as_uri() + "#q=heartbeat.*/ws/v2%20HB-&v=fail"
    dom = browse(tmp_path, uri, "--dump-dom")
    verdicts = verdicts_of(failed[0] / "live.jsonl")
    cited = {
        event["variant"]: event["requirements"]
        for event in read_events(failed[0] / "live.jsonl")
        if event["event"] == "planned"
    }
    wanted = {
        name: verdict == "fail"
        and name.startswith("heartbeat.")
        and name.endswith("/ws/v2")
        and any(rule.startswith("HB-") for rule in cited[name])
        for name, verdict in verdicts.items()
    }
    assert rows(dom) == wanted and any(wanted.values())
    assert f"{sum(wanted.values())} of {len(wanted)} variants" in dom
    assert " hidden" not in re.search(r'<form id="filter"[^>]*>', dom).group()
    folded = re.findall(r'<details class="variant"[^>]*data-text="([^"]+)"([^>]*)>', dom)
    assert {name for name, rest in folded if "hidden" not in rest} == {n for n, shown in wanted.items() if shown}


def test_nothing_a_peer_sent_becomes_markup(hostile, tmp_path):
    dom = browse(tmp_path, hostile[0] / "live.html", "--dump-dom")
    assert "<title>Phoenix Channels conformance" in dom and "<img" not in dom
    assert dom.count("<script") == 1
    assert "&lt;img src=x onerror=alert(1)&gt;" in dom


# ---- several runs ----


def test_runs_side_by_side_mark_what_differs(passed, failed, tmp_path):
    good, bad = tmp_path / "before.jsonl", tmp_path / "after.jsonl"
    shutil.copy(passed[0] / "live.jsonl", good)
    shutil.copy(failed[0] / "live.jsonl", bad)
    page, summary = tmp_path / "both.html", tmp_path / "both.md"
    run = phxspec("report", "--quiet", good, bad, "--report", page, "--report", summary)
    assert run.code == 1, run.err
    verdicts = [verdicts_of(path) for path in (good, bad)]
    differing = {name for name in verdicts[1] if verdicts[0][name] != verdicts[1][name]}
    lone = verdicts[0].keys() - verdicts[1].keys()
    text = page.read_text(encoding="utf-8")
    Page(text)
    marked = set(re.findall(r'<tr class="differs"[^>]*><td><code>([^<]+)</code>', text))
    assert marked == differing and differing
    assert "before" in text and "after" in text and f"<b>{len(differing)}</b> of" in text
    assert lone and f"<b>{len(lone)}</b> are not in all runs" in text
    table = summary.read_text(encoding="utf-8").split("## What differs")[1].split("\n## ")[0]
    escaped = [name.replace("_", "\\_") for name in differing]
    assert all(f"| {name} | pass | fail |" in table for name in escaped)


# ---- files that are damaged, or cut short ----


def lines_of(failed):
    return (failed[0] / "live.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)


def test_a_run_ended_when_all_was_over_is_red_all_the_same(passed, tmp_path):
    events = read_events(passed[0] / "live.jsonl")
    events[-1].update(complete=False, exit=3)
    saved, xml = write_events(tmp_path / "ended.jsonl", events), tmp_path / "shown.xml"
    assert phxspec("report", saved, "--report", xml).code == 3
    assert sum(int(suite.get("errors")) for suite in validate_junit(xml)) == 1


def test_a_run_that_was_cut_short_is_shown_and_never_green(passed, tmp_path):
    lines = lines_of(passed)
    saved = tmp_path / "cut.jsonl"
    saved.write_text("".join(lines[:-3]), encoding="utf-8")
    paths = all_reports(tmp_path, "shown")
    run = phxspec("report", saved, *asking_for(paths))
    assert run.code == 3 and "cut short" in run.out and "cut.jsonl" not in run.out
    for path in paths[1:]:
        assert "cut short" in path.read_text(encoding="utf-8"), path.name
    assert parse_tap(tmp_path / "shown.tap")["bailed"] and not parse_tap(tmp_path / "shown.tap")["good"]
    root = validate_junit(tmp_path / "shown.xml")
    assert sum(int(suite.get("errors")) for suite in root) == 2


@pytest.mark.parametrize("keep", [1, 2, 10])
def test_a_run_cut_short_early_is_shown_too(passed, tmp_path, keep):
    saved = tmp_path / "cut.jsonl"
    saved.write_text("".join(lines_of(passed)[:keep]), encoding="utf-8")
    run = phxspec("report", saved, *asking_for(all_reports(tmp_path, "shown")))
    assert run.code == 3 and "cut short" in run.out
    root = validate_junit(tmp_path / "shown.xml")
    errors = {case.get("name") for case in root.iter("testcase") if case.find("error") is not None}
    assert "run" in errors, "a CI server sees what is left of the plan, and nothing wrong"
    Page((tmp_path / "shown.html").read_text(encoding="utf-8"))


def damaged(change):
    def make(events):
        change(events)
        return "".join(json.dumps(event) + "\n" for event in events)

    return make


def at(events, kind):
    return next(index for index, event in enumerate(events) if event["event"] == kind)


DAMAGE = {
    "empty": (lambda events: "", 1),
    "not JSON": (lambda events: "hello\n", 1),
    "a list": (lambda events: "[]\n", 1),
    "no run": (lambda events: json.dumps(events[1]) + "\n", 1),
    "another format": (damaged(lambda events: events[0].update(report=2)), 1),
    "no target": (damaged(lambda events: events[0].pop("target")), 1),
    "a wrong time": (damaged(lambda events: events[0].update(started_at="<b>")), 1),
    "an unknown member": (damaged(lambda events: events[2].update(surprise=1)), 3),
    "an unknown event": (damaged(lambda events: events[2].update(event="party")), 3),
    "planned twice": (damaged(lambda events: events.__setitem__(3, events[2])), 4),
    "markup for a name": (damaged(lambda events: events[2].update(variant='"><script>')), 3),
    "two verdicts": (damaged(lambda events: events.insert(-1, events[-2])), -2),
    "a lie": (damaged(lambda events: events[-1]["counts"].update({"pass": 0})), -1),
    "a missing verdict": (damaged(lambda events: events.pop(-2)), -1),
    "more behind the end": (damaged(lambda events: events.append(events[-1])), -1),
    "the middle of a line": (
        lambda events: "".join(json.dumps(event) + "\n" for event in events[:5]) + '{"event": "pla',
        6,
    ),
}


@pytest.mark.parametrize("make,line", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_named_with_its_line(make, line, passed, tmp_path):
    text = make(read_events(passed[0] / "live.jsonl"))
    saved, page = tmp_path / "damaged.jsonl", tmp_path / "page.html"
    saved.write_text(text, encoding="utf-8")
    line = line if line > 0 else len(text.splitlines()) + 1 + line
    run = phxspec("report", saved, passed[0] / "live.jsonl", "--report", page)
    assert run.code == 2 and f"damaged.jsonl:{line}: " in run.err, run.err
    assert run.out == "" and not page.exists()


def test_a_saved_file_can_lie_about_bytes_without_harm(passed, tmp_path):
    """What a report holds may be anybody's: views clean it again."""
    events = read_events(passed[0] / "live.jsonl")
    events[0]["target"] = EVIL
    for event in events[2:]:
        if "title" in event:
            event["title"] = EVIL
    saved = write_events(tmp_path / "evil.jsonl", events)
    paths = all_reports(tmp_path, "shown")
    run = phxspec("report", "--verbose", saved, *asking_for(paths))
    assert run.code == 0, run.err
    for path in paths:
        assert UNCLEAN.search(path.read_text(encoding="utf-8")) is None, path.name
    assert UNCLEAN.search(run.out) is None
    validate_junit(tmp_path / "shown.xml")
    Page((tmp_path / "shown.html").read_text(encoding="utf-8"))
    assert parse_tap(tmp_path / "shown.tap")["errors"] == []


@pytest.mark.parametrize("path", ["/no/such/file.jsonl", "/"])
def test_a_file_that_cannot_be_read_is_named(path):
    run = phxspec("report", path)
    assert run.code == 2 and path in run.err
    assert "--report FILE.jsonl" in run.err, "how one gets such a file is not said"


def test_no_file_is_wrong_use():
    assert phxspec("report").code == 2
    assert "--report FILE" in phxspec("report", "--help").out


# ---- where reports go ----


@pytest.mark.parametrize(
    "options",
    [
        ["/no/such/folder/a.xml"],
        ["a.pdf"],
        ["a"],
        ["pdf=a"],
        ["junit="],
        ["tap=-", "md=-"],
        ["markdown=-", "html=-"],
    ],
    ids=" ".join,
)
def test_a_report_that_cannot_be_is_said_before_the_run(options):
    run = phxspec("server", *asking_for(options), "http://127.0.0.1:1")
    assert run.code == 2 and "--report" in run.err, run.err  # and not 3, as nobody listens there


def test_a_report_to_standard_output_moves_the_text(target):
    run = judge(target.url, "--run", "heartbeat.ok", "--report", "jsonl=-")
    events = [json.loads(line) for line in run.out.splitlines()]
    assert run.code == 0 and events[-1]["event"] == "summary"
    assert re.search(r"^\d+ planned:", run.err, re.MULTILINE)


@pytest.mark.parametrize("format", ["jsonl", "html", "junit"])
def test_a_report_that_could_not_be_written_is_said(format, target):
    run = judge(target.url, "--run", "heartbeat.ok", "--report", f"{format}=/dev/full")
    assert run.code == 3 and "/dev/full: No space left on device" in run.err


def test_a_saved_run_whose_report_cannot_be_written(passed):
    run = phxspec("report", passed[0] / "live.jsonl", "--report", "html=/dev/full")
    assert run.code == 3 and "/dev/full" in run.err


def test_a_report_whose_target_is_not_there_is_no_old_one(tmp_path):
    """Nobody takes yesterday's report for that of a run that did not come about."""
    path = tmp_path / "report.xml"
    path.write_text("yesterday")
    run = phxspec("server", "--report", path, "http://127.0.0.1:1")
    assert run.code == 3 and path.read_text() == ""


# ---- terminals ----


def at_a_terminal(arguments, **environment):
    """What phxspec writes to one."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [str(env.harness()), *map(str, arguments)],
        cwd=env.ROOT,
        env={**env.environment(), "TERM": "xterm", **environment},
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.DEVNULL,
    )
    os.close(follower)
    written = b""
    try:
        while data := os.read(leader, 1 << 16):
            written += data
    except OSError:  # the other end is closed
        pass
    os.close(leader)
    assert process.wait(env.PROMPT) in (0, 1)
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_sees_progress_and_colours(no_color, target):
    arguments = ["server", "--without", LACKS, "--run", "heartbeat.*", target.url]
    text = at_a_terminal(arguments, NO_COLOR=no_color)
    assert ("\x1b[32mpass\x1b[0m" in text) == (no_color == "")
    assert re.search(r"\x1b\[\?7l\d+ of \d+, \d+ begun  ✓ \d+\x1b\[\?7h", text), "one line, whatever its length"
    lines = [line.rpartition("\r\x1b[K")[2] for line in text.split("\n")]
    assert not any("✓" in line for line in lines), "the progress makes way"
    assert re.match(r"\d+ planned:", lines[-2].replace("\x1b[K", ""))


def test_a_terminal_sees_the_saved_run_without_progress(failed):
    text = at_a_terminal(["report", failed[0] / "live.jsonl"], NO_COLOR="1")
    assert text == failed[1].out
