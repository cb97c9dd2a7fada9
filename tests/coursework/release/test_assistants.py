"""AGENTS.md lists what students write and nothing else, and nothing but the policy makes a difference."""

from __future__ import annotations

import argparse
import itertools
import re

import pytest

from coursework.homework import homework
from coursework.root import ROOT
from coursework.staff.release import assistants, leaks
from coursework.staff.release.contents import CONTENTS, read_source
from coursework.staff.release.edition import make_edition
from coursework.staff.release.markers import ReleaseError
from coursework.staff.staff_options import COMMANDS, POLICIES, POLICY

RULES = {assistants.RULES, *assistants.OTHERS}


@pytest.fixture(scope="module")
def source():
    return read_source(ROOT)


@pytest.fixture(scope="module")
def editions(source):
    return {policy: make_edition(source, policy) for policy in POLICIES}


@pytest.mark.parametrize("policy", POLICIES)
def test_every_region_is_listed_and_nothing_else(policy, editions, source):
    text = editions[policy].files[assistants.RULES].decode()
    rows = re.findall(r"^\| \[`(.+?)`\]\((.+?)\) \| (\S+) \| (.+) \|$", text, re.M)
    assert all(shown == link for shown, link, _, _ in rows)
    listed = [(path, task, name) for path, _, task, names in rows for name in re.findall("`(.+?)`", names)]
    found = [  # by a plain search, without the parser of the release
        (path, task, name)
        for path, content in source.items()
        if path in editions[policy].removed
        for task, name in re.findall(r"BEGIN SOLUTION (\S+) (\w+)", content.decode("utf-8", "replace"))
    ]
    assert sorted(listed) == sorted(found)
    assert {task for _, task, _ in listed} == {task.number for task in homework().all_tasks}


def test_the_editions_differ_in_the_policy_alone(editions, source):
    for one, other in itertools.combinations(editions.values(), 2):
        assert {path for path in one.files if one.files[path] != other.files.get(path)} == {assistants.RULES}
        assert one.files.keys() == other.files.keys()
    assert editions[POLICY].files == make_edition(source).files
    assert editions["none"].files.keys() >= RULES
    assert not RULES & editions["none"].removed.keys()


@pytest.mark.parametrize("policy", POLICIES)
def test_the_rules_leak_nothing(policy, editions, source):
    leaks.prove(editions[policy], source)


def test_a_file_of_the_source_is_not_replaced(source):
    contents = {CONTENTS: b"student AGENTS.md\n" + source[CONTENTS]}
    with pytest.raises(ReleaseError, match=r"AGENTS\.md:1: release makes this file itself"):
        make_edition({**source, **contents, "AGENTS.md": b"mine\n"})


def test_the_policy_is_chosen_when_the_edition_is_released():
    parser = argparse.ArgumentParser()
    COMMANDS["release"].arguments(parser)
    assert parser.parse_args([]).assistants == POLICY
    assert parser.parse_args(["--assistants", "none"]).assistants == "none"
    with pytest.raises(ValueError, match=r"expected a policy for assistants \(none, tutor, open\), got 'some'"):
        assistants.files("some", [])
