"""What an installer reads, by key, through gettext: enrolment, clerks, doctor, the demo's day and their failures.

Laws: a key is a literal in a call of `words`, or belongs to a family of `FAMILIES` whose members are codes; a code
without words of its own says itself, so that it can be looked up.
"""

from __future__ import annotations

import gettext
import locale
import os
from functools import cache
from pathlib import Path

from offline_store.errors import StoreError
from provisioning.errors import ProvisioningError
from wire.errors import WireError

DOMAIN = "provisioning"
FAMILIES = ("seen", "error", "role", "check", "standing", "finding", "why", "who", "then", "counted")


def words(key: str, **params: object) -> str:
    """The sentence for `key` in the person's language; Chinese unless another one is asked for."""
    return _catalog().gettext(key).format(**params)


def of(family: str, code: str, /, **params: object) -> str | None:
    """The words for a member of a family, or None."""
    key = f"{family}.{code}"
    found = _catalog().gettext(key)
    return None if found == key else found.format(**params)


def sentence(error: ProvisioningError | StoreError | WireError) -> str:
    """The sentence for an error; one without its own says its code, so that it can be looked up."""
    fields = error.fields if isinstance(error, ProvisioningError) else vars(error)
    refusal = fields.get("refusal")
    if isinstance(refusal, str) and (known := of("error", refusal)) is not None:
        return known
    return of("error", error.code, **fields) or words("otherwise", code=error.code)


@cache
def _catalog() -> gettext.NullTranslations:
    wanted = (os.environ.get("LANGUAGE") or os.environ.get("LANG") or "zh_CN").split(".")[0]
    language = "en" if locale.normalize(wanted).startswith("en") else "zh_CN"
    return gettext.translation(DOMAIN, Path(__file__).parent / "locale", [language])
