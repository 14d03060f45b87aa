"""Every key that this room says has words in both languages, and no Chinese is left outside the files of words."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from city_gateway.acts.audit_words import act_of
from city_gateway.acts.office_audit import OfficeAct
from city_gateway.acts.standing import backing, timeline_line
from city_gateway.catalog.errors import CatalogError
from city_gateway.ledger.backups import Restored
from city_gateway.ledger.office_audit import AuditRow
from city_gateway.wording import sentences
from tests.architecture.test_tree import PROJECT

pytestmark = pytest.mark.fast

ROOM = PROJECT / "city_gateway"
COMMANDS_ELSEWHERE = [PROJECT / "provisioning" / "__main__.py"]
"""Rooms that also invent people and papers: only where they speak to whoever runs them."""
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
SAYS = {"say", "words", "told"}
IN_TEMPLATE = re.compile(r"""\bsay\(\s*["']([a-z_.]+)["'](\s*~)?""")
LANGUAGES = ("zh_CN", "en")


def docstrings(tree: ast.AST) -> set[ast.AST]:
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    firsts = [node.body[0] for node in ast.walk(tree) if isinstance(node, holders) and node.body]
    return {first.value for first in firsts if isinstance(first, ast.Expr)}


def chinese_in(source: str) -> list[str]:
    """The Chinese literals of a module, without its docstrings."""
    tree = ast.parse(source)
    told = docstrings(tree)
    literals = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in told]
    return [one.value for one in literals if isinstance(one.value, str) and CHINESE.search(one.value)]


def said_in(source: str) -> Iterator[tuple[str, bool]]:
    """What the calls of a module name: a whole key, or the beginning of a family (then True)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value), False
            elif isinstance(first, ast.JoinedStr) and isinstance(first.values[0], ast.Constant):
                yield str(first.values[0].value), True


def said() -> set[tuple[str, bool]]:
    found = {one for path in modules() for one in said_in(path.read_text("utf-8"))}
    for path in sorted((ROOM / "templates").glob("*.html")):
        found |= {(key, bool(family)) for key, family in IN_TEMPLATE.findall(path.read_text("utf-8"))}
    return found


def modules() -> list[Path]:
    return sorted(ROOM.rglob("*.py"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_said_has_words(language: str) -> None:
    known, asked = sentences(language), said()
    assert len(asked) >= 150
    assert [key for key, family in asked if not family and not known.get(key)] == []
    assert [key for key, family in asked if family and not any(one.startswith(key) for one in known)] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("act", [one for one in OfficeAct if one is not OfficeAct.RULED])
def test_every_act_of_the_office_has_words(act: OfficeAct, language: str) -> None:
    known = sentences(language)
    row = AuditRow(1, datetime(2026, 11, 23, 4, tzinfo=UTC), "d-1", act.value, None, "", "{}")
    assert act_of(row, lambda key, /, **params: known[key].format_map(params))


def below(kind: type[CatalogError]) -> set[str]:
    return {one.code for one in kind.__subclasses__()}.union(*[below(one) for one in kind.__subclasses__()])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_not_to_publish_and_every_mistake_of_a_source_has_words(language: str) -> None:
    known = sentences(language)
    assert [code for code in below(CatalogError) if not known.get(f"error.{code}")] == []
    found = [re.findall(r'Problem\(\s*"([a-z._]+)"', path.read_text("utf-8")) for path in modules()]
    codes = {code for some in found for code in some}
    assert len(codes) >= 5
    assert [code for code in codes if not known.get(f"problem.{code}")] == []


def test_both_languages_fill_in_the_same_parameters() -> None:
    chinese, english = (sentences(language) for language in LANGUAGES)
    names = re.compile(r"\{(\w+)")
    assert [key for key in chinese if set(names.findall(chinese[key])) != set(names.findall(english[key]))] == []


@pytest.mark.parametrize(
    "path", [*modules(), *COMMANDS_ELSEWHERE], ids=lambda path: path.relative_to(PROJECT).as_posix()
)
def test_no_chinese_is_written_into_the_program(path: Path) -> None:
    assert chinese_in(path.read_text("utf-8")) == []


def test_english_has_no_chinese_in_it() -> None:
    assert [key for key, text in sentences("en").items() if CHINESE.search(text)] == []


def test_the_rules_bite() -> None:
    seeded = '"""说明"""\nhelp = f"网关{1}"\nsay("no.such.key")\nwords(f"no.family.{help}")\n'
    assert chinese_in(seeded) == ["网关"]
    assert set(said_in(seeded)) == {("no.such.key", False), ("no.family.", True)}


def test_how_the_gateway_stands_is_told_in_the_language_of_who_asks() -> None:
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    restored = Restored("0" * 32, now, "0" * 32, None, None)
    english = sentences("en")

    def told(key: str, /, **params: object) -> str:
        return english[key].format_map(params)

    assert backing(None, restored, now, told).sentence == english["backup.none"]
    assert backing(None, restored, now).sentence == sentences("zh_CN")["backup.none"]
    assert not CHINESE.search(timeline_line(restored, told))


@pytest.mark.parametrize(("language", "told"), [("C", "监听 HOST:PORT"), ("en_GB.UTF-8", "Listen at HOST:PORT")])
def test_help_speaks_the_language_of_the_person(language: str, told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "city_gateway", "serve", "--help"],
        env={"LANG": language, "PATH": os.environ["PATH"], "PYTHONUTF8": "1", "COLUMNS": "200"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, told in done.stdout) == (0, True)
