"""Every code a person can meet has a sentence, in Chinese and in English, and asks for nothing that is not there."""

import re

import pytest

from casework import errors as casework_errors
from casework.events import EVENTS
from casework.field_rules import PROBLEM_CODES
from casework.materials import MISSING_CODES
from casework.proxy import REFUSAL_CODES
from casework.regions import NO_SUCH_REGION
from casework.states import State
from edge_node import faults, wording
from edge_node.acts import readiness
from edge_node.counter import errors

pytestmark = pytest.mark.fast

LANGUAGES = ("zh_CN", "en")


def codes_of(module) -> set[str]:
    return {
        kind.code
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Exception) and hasattr(kind, "code")
    }


def needed() -> set[str]:
    refusals = codes_of(errors) | codes_of(casework_errors) | REFUSAL_CODES | {"internal", "request.invalid"}
    refusals |= set(faults.CODES.values()) | set(faults.HTTP_CODES.values())
    keys = {f"error.{code}" for code in refusals} | PROBLEM_CODES | MISSING_CODES
    keys |= {readiness.UNANSWERED, NO_SUCH_REGION}
    return keys | {f"state.{one.value}" for one in State} | {f"event.{code}" for code in EVENTS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_sentence(language):
    assert sorted(key for key in needed() if not wording.known(key, language=language)) == []


def test_both_languages_have_the_same_keys():
    chinese, english = (wording.keys(language) for language in LANGUAGES)
    assert chinese == english


def test_both_languages_ask_for_the_same_parameters():
    def asked(key, language):
        return set(re.findall(r"{(\w+)}", wording.sentence(key, language=language)))

    differing = [key for key in sorted(wording.keys()) if asked(key, "zh_CN") < asked(key, "en")]
    assert differing == []


def test_a_key_without_a_sentence_shows_itself():
    assert wording.sentence("error.of_tomorrow", {"x": 1}) == "error.of_tomorrow"


def test_codes_among_the_parameters_are_named():
    said = wording.sentence("error.lifecycle.illegal_event", {"state": "decided", "event": "withdrawn"})
    assert wording.sentence("state.decided") in said
    assert wording.sentence("event.withdrawn") in said


def test_a_parameter_that_was_not_handed_in_fails_nothing():
    assert "{max_mib}" in wording.sentence("error.scan.too_large")


def test_braces_in_a_value_stay_a_value():
    assert "{state}" in wording.sentence("error.return.vague", {"ref": "{state}"})
