"""Every word a person reads on the screen, by stable key.

Laws:
- A key is written once as a literal in a call of `t`, or belongs to a family of `FAMILIES` whose members come from
  the data (states, units, problem codes). A test compares both with the two .po files.
- A family member without words falls back to the family's `other` entry, so that a newer node never breaks an
  older screen.
- Chinese is the default; English is asked for by `--lang en` or a LANG that begins with `en`.
"""

import gettext
from collections.abc import Mapping
from pathlib import Path

LOCALE_FOLDER = Path(__file__).parent / "locale"
LANGUAGES = ("zh_CN", "en")

FAMILIES = (
    "act",
    "act_explained",
    "agent_policy",
    "alarm",
    "clock",
    "clock_kind",
    "clock_standing",
    "confidence",
    "courier_job",
    "delivery_way",
    "duty",
    "event",
    "form",
    "help",
    "kept",
    "key",
    "line",
    "material_form",
    "missing",
    "necessity",
    "notice_doubt",
    "notice_effect",
    "proxy_refusal",
    "proxy_standing",
    "purpose",
    "rating",
    "relay",
    "return_kind",
    "role",
    "seen",
    "service_mode",
    "standing",
    "state",
    "stopped_why",
    "then",
    "title",
    "unit",
    "who",
    "why",
)


class WordingMissing(RuntimeError):
    """The compiled wording of a language is not there; the installer compiles it."""


_spoken: gettext.NullTranslations = gettext.NullTranslations()


def language_for(asked: str | None, environment: Mapping[str, str]) -> str:
    """The language to speak: what was asked for, else the environment's, else Chinese."""
    wish = asked or environment.get("LC_ALL") or environment.get("LANG") or ""
    return "en" if wish.lower().startswith("en") else "zh_CN"


def speak(language: str) -> None:
    """Load the words of a language; everything shown from now on uses them."""
    global _spoken
    try:
        _spoken = gettext.translation("tui", localedir=LOCALE_FOLDER, languages=[language])
    except FileNotFoundError as missing:
        raise WordingMissing(language) from missing


def spoken() -> str:
    """The language that is spoken."""
    return str(_spoken.info().get("language") or LANGUAGES[0])


def t(key: str, **params: object) -> str:
    """The words for a key, with its parameters filled in."""
    words = _spoken.gettext(key)
    return words.format(**params) if params else words


def of(family: str, member: str, **params: object) -> str:
    """The words for a member of a family, or the family's words for a member that is not known here."""
    key = f"{family}.{member}"
    words = _spoken.gettext(key)
    if words == key:
        words = _spoken.gettext(f"{family}.other")
        params = {"code": member, **params}
    try:
        return words.format(**params)
    except (KeyError, IndexError):
        return words
