"""Exchange messages and the counter's models: strict about types, tolerant of newer fields, silent about content."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

import wire.counter as counter
from wire.canonical import canonical_json, read_json
from wire.errors import MalformedMessage, TooLarge
from wire.fields import Asked, Told
from wire.messages import (
    ExchangeHead,
    FeedEntry,
    Operation,
    Reason,
    Times,
    body_of,
    read_feed_entry,
    read_operation,
    read_reply,
    read_request,
    write_request,
)

pytestmark = pytest.mark.fast

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HEAD = ExchangeHead(node="0a" * 16, nonce="0b" * 16, feed_cursor=4)
TIMES = Times(wall=NOW, monotonic=12.5, boot_id="b", confidence="estimated")
MODELS = [model for model in vars(counter).values() if isinstance(model, type) and issubclass(model, BaseModel)]


@given(envelopes=st.lists(st.binary(max_size=40), max_size=5))
def test_a_request_is_taken_apart_as_it_was_written(envelopes: list[bytes]) -> None:
    request = read_request(write_request(HEAD, envelopes))
    assert (request.head, list(request.envelopes)) == (HEAD, envelopes)


@pytest.mark.parametrize("bad", [b"", b"\0\0\0\x02{}", b"\0\0\0\x02[]", b"\0\0\0\x01"])
def test_what_is_no_request_or_reply_is_refused(bad: bytes) -> None:
    for read in (read_request, read_reply):
        if read is read_reply and bad.endswith(b"{}"):
            continue  # a document is proven later
        with pytest.raises(Exception, match=r"wire\.") as told:
            read(bad)
        assert told.type.__module__ == "wire.errors"


def test_too_large_and_too_many_are_refused() -> None:
    with pytest.raises(TooLarge):
        read_request(write_request(HEAD, [bytes(100)]), limit=99)
    with pytest.raises(MalformedMessage):
        read_request(write_request(HEAD, [b""] * 1001))


def test_an_operation_survives_and_says_only_what_it_must() -> None:
    operation = Operation(op_id="0c" * 16, clerk="agent-1", times=TIMES, rating=b"sealed", events=[{"code": "rated"}])
    body = body_of(operation)
    assert read_operation(body) == operation
    assert set(read_json(body)) == {"v", "op_id", "clerk", "times", "rating", "events"}
    assert body == canonical_json(read_json(body))


def test_a_feed_entry_survives() -> None:
    entry = FeedEntry(
        application_id="0d" * 16,
        case_seq=2,
        op_id="0c" * 16,
        author_node="0a" * 16,
        author_role="agent",
        author_public=bytes(32),
        result="refused",
        refusal=Reason(code="casework.illegal_event", params={"state": "returned"}),
        envelope=b"sealed",
        wrap=b"wrap",
        scan_wraps={"0e" * 32: b"wrap"},
    )
    assert read_feed_entry(body_of(entry)) == entry


@pytest.mark.parametrize("change", [{"v": 2}, {"op_id": "0C" * 16}, {"basis": -1}, {"events": {}}, {"times": None}])
def test_another_version_or_shape_of_an_operation_is_refused(change: dict) -> None:
    plain = read_json(body_of(Operation(op_id="0c" * 16, clerk="a", times=TIMES)))
    with pytest.raises(MalformedMessage):
        read_operation(canonical_json(plain | change))


def test_every_model_of_the_counter_is_strict_and_tolerant_on_the_right_side() -> None:
    assert len(MODELS) > 40
    for model in MODELS:
        assert model.model_config["strict"] is True
        assert model.model_config["extra"] == ("forbid" if issubclass(model, Asked) else "ignore")
        assert issubclass(model, (Asked, Told))
        assert model.__doc__, model.__name__


def test_every_name_of_the_counter_is_public_and_told_in_its_table() -> None:
    assert set(counter.__all__) >= {model.__name__ for model in MODELS if model.__module__.startswith("wire.counter")}
    asked = [
        name
        for name in counter.__all__
        if isinstance(model := getattr(counter, name), type) and issubclass(model, Asked)
    ]
    for name in asked:
        assert name in (counter.__doc__ or ""), name


def test_a_number_is_not_a_text_and_an_unknown_question_is_a_mistake() -> None:
    with pytest.raises(ValidationError):
        counter.Rate.model_validate({"level": "5"})
    with pytest.raises(ValidationError):
        counter.Rate.model_validate({"level": 6})
    with pytest.raises(ValidationError):
        counter.Withdraw.model_validate({"reason": "x", "force": True})
    newer = {"code": "511602", "name": "广安区", "level": 3, "population": 1}
    assert counter.RegionRow.model_validate(newer).code == "511602"


def test_models_read_days_and_moments_from_parsed_json_as_well_as_from_bytes() -> None:
    plain = {"deferred": ["M01"], "due": "2026-12-01", "promise": "三日内补交"}
    assert counter.AcceptProvisionally.model_validate(plain) == counter.AcceptProvisionally.model_validate_json(
        canonical_json(plain)
    )
    with pytest.raises(ValidationError):
        counter.StepView.model_validate({"at": "2026-12-01T00:00:00", "event": "x", "role": "agent", "node_id": "n"})


def test_an_error_text_of_a_request_does_not_show_what_was_typed() -> None:
    with pytest.raises(ValidationError) as told:
        counter.SignIn.model_validate({"clerk": 13800000001, "passphrase": ["口令不应出现"]})
    assert "口令" not in str(told.value)
    assert "13800000001" not in str(told.value)
    assert "口令" not in repr(counter.SignIn(clerk="a", passphrase="口令"))


def test_a_page_knows_its_rows() -> None:
    page = counter.Page[counter.DomainRow](rows=[counter.DomainRow(name="医保", items=3)], total=1, offset=0, limit=20)
    assert counter.Page[counter.DomainRow].model_validate_json(page.model_dump_json()) == page
