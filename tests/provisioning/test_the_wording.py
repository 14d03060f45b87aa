"""Every key that this room says has words, every entry of its files is said somewhere, in both languages."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from casework.application import Seen
from provisioning import errors
from provisioning.doctor import CHECKS, Standing
from provisioning.wording import FAMILIES
from tests.architecture.test_tree import PROJECT
from wire.waiting import Reason, Then, Who

pytestmark = pytest.mark.fast

ROOM = PROJECT / "provisioning"
SAID = re.compile(r'\bwords\(\s*"([^"]+)"')
FOUND = re.compile(r'Finding\(\s*"[a-z]+",\s*[^,]+,\s*"([a-z_.]+)"')


def keys(language: str) -> set[str]:
    text = (ROOM / "locale" / language / "LC_MESSAGES" / "provisioning.po").read_text("utf-8")
    return set(re.findall(r'^msgid "(.+)"$', text, re.MULTILINE))


def of_family(language: str, family: str) -> set[str]:
    return {key.partition(".")[2] for key in keys(language) if key.partition(".")[0] == family}


def source() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(ROOM.glob("*.py")))


def test_what_is_said_has_words_and_what_has_words_is_said() -> None:
    single = {key for key in keys("zh_CN") if key.partition(".")[0] not in FAMILIES}
    assert set(SAID.findall(source())) == single


def test_every_code_of_a_family_has_words() -> None:
    members = {"check": set(CHECKS), "standing": set(Standing), "why": set(Reason), "who": set(Who), "then": set(Then)}
    members["seen"] = set(Seen)
    for family, codes in members.items():
        assert of_family("zh_CN", family) == {str(code) for code in codes}, family
    assert of_family("zh_CN", "role") == {"village", "township"}


def test_every_failure_of_this_room_has_words() -> None:
    codes = {thing.code for thing in vars(errors).values() if isinstance(thing, type) and hasattr(thing, "code")}
    assert codes - {errors.ProvisioningError.code} <= of_family("zh_CN", "error")


def test_every_finding_of_doctor_has_words() -> None:
    codes = set(FOUND.findall((ROOM / "doctor.py").read_text("utf-8")))
    assert len(codes) >= 15
    assert [code for code in codes if code not in of_family("zh_CN", "finding")] == []


@pytest.mark.parametrize(("language", "heading"), [("zh_CN.UTF-8", "节点检查"), ("en_GB.UTF-8", "The node, checked")])
def test_doctor_speaks_the_language_of_the_person(language: str, heading: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "provisioning", "doctor", "--root", str(tmp_path)],
        env={"LANG": language, "PATH": "/usr/bin:/bin"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert heading in done.stdout
