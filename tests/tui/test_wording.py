"""Words: every key used exists in both languages, none lies unused, and no sentence is left in the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from casework.duty import DUTY_CODES
from casework.events import EVENTS
from casework.field_rules import PROBLEM_CODES
from casework.materials import MISSING_CODES
from casework.proxy import REFUSAL_CODES
from casework.states import ProxyStanding, State
from sync_agent.errors import CourierError
from tui import wording
from tui.actions import ACTIONS
from tui.autosave import Kept
from tui.keymap import KEYMAP
from wire.bundle import RELAY_REFUSALS

pytestmark = pytest.mark.screen
TUI = Path(wording.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACES = set(KEYMAP)
COURIER_CODES = {
    *(kind.code.removeprefix("courier.") for kind in CourierError.__subclasses__()),
    *("written", "written_left", "brought", "known", "older", "refused_by_city", "broken_off", "agent_away"),
    *("wire.wrong_signature", "wire.tampered", "wire.truncated", "wire.trailing_bytes", "wire.wrongly_addressed"),
    "bundle.incomplete",
}
MEMBERS = {
    "courier_job": COURIER_CODES,
    "duty": {code.removeprefix("duty.") for code in DUTY_CODES},
    "event": set(EVENTS),
    "form": {code.removeprefix("form.") for code in PROBLEM_CODES},
    "help": PLACES,
    "kept": {kept.value for kept in Kept},
    "key": {action.words for action in ACTIONS.values()},
    "missing": {code.removeprefix("material.") for code in MISSING_CODES},
    "proxy_refusal": {code.removeprefix("proxy.") for code in REFUSAL_CODES},
    "proxy_standing": {standing.value for standing in ProxyStanding},
    "purpose": PLACES,
    "relay": {code.removeprefix("relay.") for code in RELAY_REFUSALS},
    "state": {state.value for state in State},
    "title": PLACES,
}


def catalog(language):
    with (wording.LOCALE_FOLDER / language / "LC_MESSAGES" / "tui.po").open("rb") as stream:
        return {message.id: message.string for message in read_po(stream) if message.id}


def calls():
    """Every call of `t` and `of` in the room: (function, first literal)."""
    for path in sorted(TUI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"t", "of"}:
                first = node.args[0]
                assert path.name == "wording.py" or isinstance(first, ast.Constant), f"{path.name}:{node.lineno}"
                yield node.func.id, getattr(first, "value", "")


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_every_key_that_is_used_has_words(language):
    words = catalog(language)
    missing = {key for function, key in calls() if function == "t" and key not in words}
    missing |= {
        f"{family}.{one}" for family, all_of in MEMBERS.items() for one in all_of if f"{family}.{one}" not in words
    }
    missing |= {f"{family}.other" for family in wording.FAMILIES if f"{family}.other" not in words}
    assert not missing


def test_no_words_lie_unused():
    used = {key for function, key in calls() if function == "t"}
    left = {key for key in catalog("zh_CN") if key not in used}
    assert {key for key in left if key.partition(".")[0] not in wording.FAMILIES} == set()
    for family, members in MEMBERS.items():
        of_family = {key.removeprefix(f"{family}.") for key in left if key.partition(".")[0] == family}
        assert of_family - members <= {"other"}, family


def test_every_family_is_used_and_declared():
    used = {family for function, family in calls() if function == "of"}
    assert used == set(wording.FAMILIES)


def test_both_languages_have_the_same_keys_and_parameters():
    chinese, english = catalog("zh_CN"), catalog("en")
    assert set(chinese) == set(english)
    parameters = re.compile(r"\{(\w+)\}")
    for key, words in chinese.items():
        assert set(parameters.findall(words)) == set(parameters.findall(english[key])), key


def test_no_chinese_sentence_stands_in_the_code():
    """Docstrings may name things of the counter; strings that are shown may not. 年月日 is how a date may be typed."""
    for path in sorted(TUI.rglob("*.py")):
        tree = ast.parse(path.read_text())
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                shown = CHINESE.sub("", node.value) if path.name in {"editing.py", "__main__.py"} else node.value
                assert not CHINESE.search(shown), f"{path.name}:{node.lineno}"


def test_an_unknown_member_of_a_family_has_words_all_the_same():
    assert wording.of("state", "of_a_newer_node") == "状态 of_a_newer_node"


def test_english_is_spoken_when_it_is_asked_for():
    assert wording.language_for(None, {"LANG": "en_US.UTF-8"}) == "en"
    assert wording.language_for(None, {"LANG": "C"}) == "zh_CN"
    assert wording.language_for("en", {"LANG": "zh_CN.UTF-8"}) == "en"
