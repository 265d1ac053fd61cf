# SPDX-License-Identifier: MIT
"""The specification page: what ci/specification writes is what is committed, and it is whole."""

import base64
import re
import shutil
import subprocess
import sys

import pytest

from testenv import env

sys.path.insert(0, str(env.ROOT / "ci"))

from spec import exchange  # noqa: E402
from spec.data import Suite  # noqa: E402
from spec.page import Broken, Page, bugs_text, code  # noqa: E402


@pytest.fixture(scope="module")
def suite():
    return Suite()


@pytest.fixture(scope="module")
def page(suite):
    return Page(suite).text()


def test_the_committed_pages_are_up_to_date(suite, page):
    for name, text in (("SPECIFICATION.md", page), ("BUGS.md", bugs_text(suite))):
        committed = (env.VECTORS / name).read_text(encoding="utf-8")
        assert committed == text, f"vectors/{name} is out of date: run ci/specification"


def test_every_rule_is_there_once_with_its_text(suite, page):
    for rule in suite.rules:
        assert page.count(f'<a id="{rule["id"].lower()}"></a>') == 1, rule["id"]
        assert re.sub(r"\[([A-Z0-9-]+)\](?!\()", r"\1", page).count(code(rule["text"])) >= 1, rule["id"]


def test_every_link_leads_somewhere(page):
    anchors = set(re.findall(r'<a id="([^"]+)"', page))
    targets = re.findall(r"\]\(([^)]+)\)", re.sub(r"`[^`\n]*`", "", page)) + re.findall(
        r"^\[[^]]+\]: (\S+)$", page, re.M
    )
    assert len(targets) > 300
    for target in targets:
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif not target.startswith("https://"):
            assert (env.VECTORS / target).exists(), target
    defined = set(re.findall(r"^\[([^]]+)\]: ", page, re.M))
    prose = re.sub(r"```.*?```", "", page, flags=re.S)
    used = re.findall(r"\[([A-Z0-9]+(?:-[A-Z]+)?-\d\d)\](?!\()", prose)
    assert used and set(used) <= defined


def test_nothing_is_left_to_fill_in(page):
    assert "{{" not in page


@pytest.mark.parametrize("variant", ["binary.echo", "binary.server-push", "binary.broadcast", "binary.reply"])
def test_binary_messages_are_taken_apart_whole(suite, variant):
    _, events = exchange.Recordings(suite.folder).get(variant, "ws.v2")
    frames = [event for event in events if event["kind"] == "binary"]
    assert frames
    for frame in frames:
        data = base64.b64decode(frame["base64"])
        parts = list(exchange.fields_of_binary(data, frame["dir"] == "out"))
        assert b"".join(part for part, _ in parts) == data


@pytest.fixture
def folder(tmp_path):
    """vectors/, without recordings but those of one group, its chapters to be changed."""
    for name in ("requirements.json", "bugs.json"):
        shutil.copy(env.VECTORS / name, tmp_path)
    for name in ("server", "specification"):
        shutil.copytree(env.VECTORS / name, tmp_path / name)
    recorded = tmp_path / "recorded" / exchange.SERVER
    recorded.mkdir(parents=True)
    for path in (env.VECTORS / "recorded" / exchange.SERVER).glob("*.jsonl"):
        (recorded / path.name).symlink_to(path)
    return tmp_path


@pytest.mark.parametrize(
    "line,named",
    [
        ("as JREF-99 says", r"99-last\.md:3: there is no rule JREF-99"),
        ("{{rules: nosuch}}", r"99-last\.md:3: there is no section nosuch"),
        ("{{rules: join}}", r"99-last\.md:3: the rules of join are there twice"),
        ("{{exchange: no.such ws.v2}}", r"99-last\.md:3: "),
        ("{{nosuch}}", r"99-last\.md:3: \{\{nosuch\}\} is not known"),
    ],
)
def test_a_broken_chapter_is_named_with_its_line(folder, line, named):
    (folder / "specification" / "99-last.md").write_text(f"## Last\n\n{line}\n", encoding="utf-8")
    with pytest.raises(Broken, match=named):
        Page(Suite(folder)).text()


def test_a_section_no_chapter_has_is_noticed(folder):
    chapter = folder / "specification" / "05-channels.md"
    text = chapter.read_text(encoding="utf-8")
    assert "{{rules: join}}" in text
    chapter.write_text(text.replace("{{rules: join}}", ""), encoding="utf-8")
    with pytest.raises(Broken, match="no chapter has {{rules: join}}"):
        Page(Suite(folder)).text()


def test_the_program_says_when_a_page_is_out_of_date():
    program = env.ROOT / "ci" / "specification"
    run = subprocess.run([program, "--check"], capture_output=True, text=True, check=False, timeout=env.PROMPT)
    assert run.returncode == 0, run.stderr
    run = subprocess.run([program, "--lost"], capture_output=True, text=True, check=False, timeout=env.PROMPT)
    assert run.returncode == 2 and "ci/specification" in run.stderr
