"""Generated applications: every field, any text, nothing that a law forbids to store."""

from datetime import UTC, date, datetime

from hypothesis import strategies as st

from casework.application import (
    Applicant,
    Application,
    Decision,
    HandedIn,
    Pause,
    ReturnPoint,
    Role,
    Scan,
    Seen,
    Step,
)
from casework.states import ProxyStanding, State

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
codes = st.text("0123456789", min_size=12, max_size=12)
hexes = st.text("0123456789abcdef", min_size=32, max_size=32)
days = st.dates(date(2020, 1, 1), date(2030, 1, 1))
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
names = st.text("张李王测试样例赵𠮷〇·Ann", min_size=1, max_size=6)
id_numbers = st.from_regex(r"51160[23]18[0-9]{2}0[1-9]1[0-9][0-9]{3}[0-9X]", fullmatch=True)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


def several(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(strategy, max_size=3).map(tuple)


applicants = st.builds(
    Applicant,
    name=names,
    id_type=st.sampled_from(["111", "414"]),
    id_no=id_numbers,
    phone=words,
    region=codes,
    address=words,
)
applications = st.builds(
    Application,
    application_id=hexes,
    receipt_no=st.builds("{}-{:%Y%m%d}-{:04d}-K".format, codes, days, st.integers(1, 9999)),
    item_id=words,
    form_id=words,
    catalog_version=st.integers(1, 1000),
    site=codes,
    township=codes,
    applicant=applicants,
    form=st.dictionaries(words, plain, max_size=4),
    handed_in=several(
        st.builds(HandedIn, words, st.sampled_from(Seen), maybe(st.booleans()), st.integers(0, 9), words)
    ),
    scans=several(st.builds(Scan, hexes.map(lambda h: h * 2), st.integers(1, 10**9), words, words, st.integers(1, 9))),
    state=st.sampled_from(State),
    proxy=st.sampled_from(ProxyStanding),
    collected_at=maybe(moments),
    received_at=maybe(moments),
    return_points=several(
        st.builds(ReturnPoint, st.sampled_from(["material", "condition", "field"]), words, words, words)
    ),
    answers=st.dictionaries(words, words, max_size=3),
    returns_count=st.integers(0, 9),
    accepted_at=maybe(moments),
    limit_due=maybe(days),
    deferred=several(words),
    deferred_due=maybe(days),
    pauses=several(st.builds(Pause, words, words, words, moments, maybe(moments), maybe(st.booleans()), words)),
    decision=maybe(st.builds(Decision, st.booleans(), words, words, words, moments)),
    outcome_reason=words,
    outcome_elsewhere=words,
    history=several(st.builds(Step, moments, words, st.sampled_from(Role), hexes, words)),
)
