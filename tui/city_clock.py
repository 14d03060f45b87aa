"""Moments as the wall clock of the city shows them, whatever zone the machine is set to.

Law: every time on the screen goes through `at_city`, so that screen, page and paper never name two days for one act.
"""

from datetime import datetime

from casework.working_days import CITY_TIME


def at_city(moment: datetime) -> datetime:
    """The moment on the city's clock.

    >>> from datetime import UTC
    >>> f"{at_city(datetime(2026, 11, 23, 20, 33, tzinfo=UTC)):%Y-%m-%d %H:%M}"
    '2026-11-24 04:33'
    """
    return moment.astimezone(CITY_TIME)
