"""The township's pre-review: only what the guide names, only what it allows, everything at once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from casework.errors import AddedRequirement, CaseworkError, IllegalEvent, NotYourDuty, VagueReturn
from casework.events import Submitted
from casework.forms import visible
from casework.states import State
from edge_node.acts import listing, reviewing
from edge_node.acts import village as acts
from edge_node.counter.errors import NotAskedHere, NotDeferrable, NothingToReturn, ReasonNeeded, UnknownApplication
from edge_node.faults import fault_of
from offline_store.desk import applications, journal
from tests.edge_node.village import CITY, Gateway, HandClock, Village, signed_in
from wire.counter import ReturnPointView

pytestmark = pytest.mark.node


@pytest.fixture
def town(tmp_path):
    return Village.at(tmp_path / "town", "township")


@pytest.fixture
def filed(tmp_path, town):
    """An application of a village of this township, as it lies in the queue; more of them by calling it."""
    far = Village.at(
        tmp_path / "village", gateway=Gateway(town.gateway.signing, town.gateway.sealing), clock=HandClock()
    )

    def one(item_id: str = "GA-YB-001", village: Village = far) -> str:
        application_id = village.collected(item_id)
        village.mail.turn()
        village.forward_to(town, village.posted()[-1][1], events=[Submitted(at=town.clock.wall, by=CITY)])
        town.mail.turn()
        return application_id

    return one


def shown(town: Village, application_id: str):
    with town.counter.desk.reading() as tx:
        return applications.load(tx, application_id).shown


def entries(town: Village) -> int:
    with town.counter.desk.reading() as tx:
        return journal.head(tx).seq


def point(ref: str, kind: str = "material", problem: str = "看不清", remedy: str = "重新拍摄") -> ReturnPointView:
    return ReturnPointView(kind=kind, ref=ref, problem=problem, remedy=remedy)


@pytest.mark.parametrize("confirmed", [False, True])
def test_an_acceptance_written_by_a_wrong_clock_is_never_overdue(town, filed, confirmed):
    application_id = filed("GA-YB-001")
    for _ in range(2):  # the first receipt after a start may be old
        town.receipt()
        town.mail.turn()
    true = town.clock.wall + timedelta(days=60)
    if not confirmed:  # switched off for two months, and the battery of its clock is empty
        town.clock.boot_id, town.clock.monotonic, town.clock.wall = "f" * 32, 60.0, datetime(1970, 1, 2, tzinfo=UTC)
        town = town.restarted()
    reviewing.accept(town.counter, town.who, application_id)
    town.clock.monotonic += (true - town.clock.wall).total_seconds() if confirmed else 60.0
    town.clock.wall = true
    for _ in range(2):
        town.receipt(server_time=town.clock.wall)
        town.mail.turn()
        town.clock.passes(minutes=1)
    assert town.counter.clock.read().confident
    assert listing.detail(town.counter, town.who, application_id).light == ("red" if confirmed else "grey")


def test_a_return_can_name_everything_the_guide_names(town, filed):
    application_id = filed()
    guide = reviewing.guide(town.counter, town.who, application_id)
    points = [point(one.ref, one.kind) for one in guide.points]
    assert {one.kind for one in points} == {"material", "condition", "field"}
    detail = reviewing.return_once(town.counter, town.who, application_id, points)
    assert (detail.state, detail.returns_count, len(detail.return_points)) == ("returned", 1, len(points))
    assert all(one.label for one in detail.return_points)


@pytest.mark.parametrize(
    ("named", "refusal"),
    [
        (point("GA-YB-001-M99"), AddedRequirement),
        (point("GA-YB-001-M01", kind="field"), AddedRequirement),
        (point("村委会证明", kind="condition"), AddedRequirement),
        (point("GA-YB-001-M01", problem="  "), VagueReturn),
    ],
)
def test_a_return_that_adds_a_requirement_is_refused_and_changes_nothing(town, filed, named, refusal):
    application_id = filed()
    before, seq = shown(town, application_id), entries(town)
    with pytest.raises(refusal):
        reviewing.return_once(town.counter, town.who, application_id, [point("GA-YB-001-M01"), named])
    assert (shown(town, application_id), entries(town)) == (before, seq)


def test_a_return_that_names_a_field_which_is_not_asked_here_is_refused_and_changes_nothing(town, filed):
    application_id, ref = filed(), "agent_id_no"
    with town.counter.desk.reading() as tx:
        form = town.counter.shelf.form(tx, shown(town, application_id).form_id)
    assert ref not in visible(form, shown(town, application_id).form)
    before, seq = shown(town, application_id), entries(town)
    with pytest.raises(NotAskedHere) as refusal:
        reviewing.return_once(town.counter, town.who, application_id, [point("GA-YB-001-M01"), point(ref, "field")])
    assert refusal.value.params == {"kind": "field", "ref": ref, "label": form.by_id[ref].label}
    assert form.by_id[ref].label in fault_of(refusal.value)[1]["message"]
    assert (shown(town, application_id), entries(town)) == (before, seq)
    offered = {(one.kind, one.ref) for one in reviewing.guide(town.counter, town.who, application_id).points}
    assert ("field", ref) not in offered


def test_a_field_that_is_asked_here_can_be_returned_though_another_application_hides_it(town, filed):
    application_id = filed()
    reviewing.return_once(town.counter, town.who, application_id, [point("applicant_phone", "field")])
    assert shown(town, application_id).state is State.RETURNED


def test_a_return_without_a_point_is_none(town, filed):
    with pytest.raises(NothingToReturn):
        reviewing.return_once(town.counter, town.who, filed(), [])


def confirmed(town: Village) -> Village:
    """The city told it the time, twice: the first receipt after a start may be old."""
    for _ in range(2):
        town.receipt(server_time=town.clock.wall)
        town.mail.turn()
    assert town.counter.clock.read().confident
    return town


def handling_of(detail):
    return next(clock for clock in detail.clocks if clock.kind == "handling")


def test_accepting_starts_the_handling_clock_by_the_calendar(town, filed):
    application_id = filed("GA-LY-001")
    detail = reviewing.accept(confirmed(town).counter, town.who, application_id)
    assert detail.state == "accepted"
    limit = shown(town, application_id).limit_due
    assert limit is not None
    assert limit == handling_of(detail).due


def test_a_day_that_a_doubtful_clock_counts_is_not_written_into_an_acceptance(town, filed):
    application_id = filed("GA-LY-001")
    assert not town.counter.clock.read().confident
    detail = reviewing.accept(town.counter, town.who, application_id)
    assert (detail.state, shown(town, application_id).limit_due) == ("accepted", None)


def test_the_limit_of_a_permit_that_was_accepted_too_late_counts_from_its_receipt(town, filed):
    days = {}
    for late in (1, 20):
        application_id = filed("GA-LY-001")
        received = shown(town, application_id).received_at
        town.clock.passes(days=late)
        detail = reviewing.accept(confirmed(town).counter, town.who, application_id)
        days[late] = (shown(town, application_id).limit_due - received.date()).days
        assert shown(town, application_id).limit_due == handling_of(detail).due
        town.clock.wall -= timedelta(days=late)
    assert days[20] < days[1] + 3, days


def test_a_named_day_counts_before_the_calendar(town, filed):
    application_id = filed()
    reviewing.accept(town.counter, town.who, application_id, date(2026, 12, 24))
    assert shown(town, application_id).limit_due == date(2026, 12, 24)


def test_provisional_acceptance_is_refused_where_the_guide_allows_none(town, filed):
    application_id = filed()
    assert reviewing.guide(town.counter, town.who, application_id).may_accept_provisionally is False
    with pytest.raises(NotDeferrable):
        reviewing.accept_provisionally(
            town.counter, town.who, application_id, ["GA-YB-001-M01"], date(2026, 12, 24), "容后补交"
        )
    assert shown(town, application_id).state is State.SUBMITTED


@pytest.mark.parametrize(
    ("act", "state"),
    [
        (lambda c, w, a: reviewing.begin(c, w, a), "pre_review"),
        (lambda c, w, a: reviewing.decline(c, w, a, "不符合", "条例第1条", "可以复议"), "declined"),
        (lambda c, w, a: reviewing.not_required(c, w, a, "无需办理"), "not_required"),
        (lambda c, w, a: reviewing.forward(c, w, a, "区医保局", "不属本级"), "forwarded"),
    ],
)
def test_each_act_moves_the_application_and_leaves_the_queue_right(town, filed, act, state):
    application_id = filed()
    assert act(town.counter, town.who, application_id).state == state
    waiting = [one.application_id for one in listing.queue(town.counter, town.who).rows]
    assert (application_id in waiting) is (state == "pre_review")


def test_declining_needs_reason_basis_and_remedy(town, filed):
    application_id = filed()
    for words in (("", "b", "c"), ("a", " ", "c"), ("a", "b", "\n")):
        with pytest.raises(ReasonNeeded):
            reviewing.decline(town.counter, town.who, application_id, *words)
    assert shown(town, application_id).state is State.SUBMITTED


def test_what_is_decided_is_not_decided_twice(town, filed):
    application_id = filed()
    reviewing.accept(town.counter, town.who, application_id)
    with pytest.raises(IllegalEvent):
        reviewing.decline(town.counter, town.who, application_id, "a", "b", "c")
    assert shown(town, application_id).state is State.ACCEPTED


def test_the_queue_is_searched_sorted_and_paged_on_the_server(town, filed):
    ids = [filed() for _ in range(3)]
    town.clock.passes(days=1)
    other = filed("GA-CL-001")
    queue = listing.queue(town.counter, town.who, limit=2)
    assert (len(queue.rows), queue.total) == (2, 4)
    dues = [one.due for one in listing.queue(town.counter, town.who).rows]
    assert dues == sorted(dues)
    by_item = listing.queue(town.counter, town.who, text="残疾人")
    assert other in [one.application_id for one in by_item.rows]
    receipt = shown(town, ids[0]).receipt_no
    assert [one.application_id for one in listing.queue(town.counter, town.who, text=receipt).rows] == [ids[0]]
    name = shown(town, ids[0]).applicant.name
    assert listing.queue(town.counter, town.who, text=name).total >= 1


def test_a_clerk_of_another_township_sees_and_does_nothing(town, filed):
    application_id = filed()
    actor = town.counter.actor(town.who.actor.role, "stranger", "511603107000")
    stranger = town.counter.sessions.begin(actor, "王虚构")[1]
    assert listing.page(town.counter, stranger).rows == []
    for act in (
        lambda: listing.detail(town.counter, stranger, application_id),
        lambda: reviewing.accept(town.counter, stranger, application_id),
        lambda: reviewing.guide(town.counter, stranger, application_id),
        lambda: acts.withdraw(town.counter, stranger, application_id, "x"),
    ):
        with pytest.raises(UnknownApplication):
            act()


def test_a_village_agent_has_no_queue_and_decides_nothing(tmp_path):
    village = Village.at(tmp_path)
    application_id = village.collected()
    with pytest.raises(NotYourDuty):
        listing.queue(village.counter, village.who)
    with pytest.raises(NotYourDuty):
        reviewing.begin(village.counter, village.who, application_id)


def test_the_clerk_who_opens_a_file_is_written_down_once(town, filed):
    application_id = filed()
    for _ in range(3):
        listing.detail(town.counter, town.who, application_id)
    assert town.noted().count("viewed") == 1
    listing.detail(town.counter, signed_in(town.counter), application_id)
    assert town.noted().count("viewed") == 2


def test_the_proxy_that_ended_leaves_the_supplement_to_the_township(tmp_path):
    village = Village.at(tmp_path)
    application_id = village.collected()
    village.mail.turn()
    village.tell(application_id, op_id=application_id, events=[Submitted(at=village.clock.wall, by=CITY)])
    village.mail.turn()
    detail = acts.change_proxy(village.counter, village.who, application_id, "terminate", "搬走了")
    assert detail.proxy == "terminated"
    assert detail.acts == []
    with pytest.raises(CaseworkError):
        acts.withdraw(village.counter, village.who, application_id, "不办了")
