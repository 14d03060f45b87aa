"""Practice: what marks a store as one for practising, told the same by every program.

Laws:
- The mark is the site of the signed enrolment document. No county has this code, so a receipt number made there shows
  by itself that nothing stands behind it, and no setting can take the mark away.
- Who reads a node file refuses a practice store unless he says that he wants one, and a true one if he does
  (`offline_store.node_file`): courier, doctor, enrolment and re-enrolment never do.
- Name and passphrase of the practice clerk are public: they guard nothing, and nobody is asked for a true one.
"""

from typing import Final

SITE: Final = "511699999999"
TOWNSHIP: Final = "511699999000"
REGION: Final = "511600000000"
"""What a practice node is said to cover: lists of regions begin at the city, for its own place has none."""

CLERK: Final = "lianxi"
PASSPHRASE: Final = "lianxi-only"  # noqa: S105 - shown on the screen

WANTS_PRACTICE: Final = 4
"""The status with which the screen ends; whoever started it begins practice then."""


def is_practice(site: str) -> bool:
    """Whether this is the site of a practice store.

    >>> is_practice("511699999999"), is_practice("511603106205")
    (True, False)
    """
    return site == SITE
