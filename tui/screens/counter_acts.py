"""The acts on an application that is already filed: withdraw, deliver, rate, and the proxy's own three.

Laws: an act is offered when the node lists it; what cannot be taken back is confirmed; the rating is chosen by the
villager and sealed for the city at once, so nobody at this counter can read it again.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tui.counter_client import CounterClient
from tui.screens.act_form import ActForm
from tui.wording import of, t
from wire.counter import ApplicationDetail, ChangeProxy, Deliver, Rate, Withdraw

REASON_MAX = 500  # characters, as the node takes them
LEVELS = (1, 2, 3, 4, 5)
WAYS = ("pickup_village", "pickup_township", "ems", "electronic")
BY_EVENT = {
    "rescanned": "rescan",
    "supplemented": "supplement",
    "delivered": "deliver",
    "rated": "rate",
    "withdrawn": "withdraw",
    "proxy_suspended": "proxy_suspend",
    "proxy_resumed": "proxy_resume",
    "proxy_terminated": "proxy_terminate",
}
SLIP = "slip"


def offered(detail: ApplicationDetail) -> list[str]:
    """What can be done with the application here and now, the receipt always unless its papers were erased."""
    if detail.erased_at is not None:
        return []
    allowed = set(detail.acts)
    return [act for event, act in BY_EVENT.items() if event in allowed or act in allowed] + [SLIP]


def act_forms(client: CounterClient, detail: ApplicationDetail) -> Mapping[str, Callable[[], ActForm]]:
    """The form of each act."""
    where = detail.application_id

    def withdraw() -> ActForm:
        async def act(values: dict[str, Any]) -> None:
            await client.withdraw(where, Withdraw(reason=values["reason"]))

        return _form("withdraw", [_reason()], act, question=t("act.withdraw_question"))

    def deliver() -> ActForm:
        async def act(values: dict[str, Any]) -> None:
            await client.deliver(where, Deliver(receiver=values["receiver"], way=values["way"]))

        fields = [
            _field("receiver", "text", t("deliver.receiver"), validation={"max_length": 60}),
            _field("way", "select", t("deliver.way"), options=[[way, of("delivery_way", way)] for way in WAYS]),
        ]
        return _form("deliver", fields, act, {"way": detail.form.get("delivery_way")})

    def rate() -> ActForm:
        async def act(values: dict[str, Any]) -> None:
            await client.rate(where, Rate(level=int(values["level"]), text=values.get("text") or ""))

        levels = [[str(level), of("rating", str(level))] for level in LEVELS]
        fields = [
            _field("level", "select", t("rate.level"), options=levels),
            _field("text", "textarea", t("rate.text"), required=False, validation={"max_length": REASON_MAX}),
        ]
        return _form("rate", fields, act)

    def proxy(what: str) -> Callable[[], ActForm]:
        def form() -> ActForm:
            async def act(values: dict[str, Any]) -> None:
                change = ChangeProxy.model_validate({"act": what, "reason": values["reason"]})
                await client.change_proxy(where, change)

            question = t("act.terminate_question") if what == "terminate" else ""
            return _form(f"proxy_{what}", [_reason()], act, question=question)

        return form

    return {
        "withdraw": withdraw,
        "deliver": deliver,
        "rate": rate,
        **{f"proxy_{what}": proxy(what) for what in ("suspend", "resume", "terminate")},
    }


def _form(
    act: str,
    fields: list[dict[str, Any]],
    carry_out: Callable[[dict[str, Any]], Any],
    values: dict[str, Any] | None = None,
    *,
    question: str = "",
) -> ActForm:
    plain = {"form_id": act, "item_id": "", "sections": [{"id": act, "title": "", "fields": fields}]}
    return ActForm(of("act", act), of("act_explained", act), plain, carry_out, values=values, question=question)


def _field(field_id: str, kind: str, label: str, *, required: bool = True, **rest: object) -> dict[str, Any]:
    return {"id": field_id, "label": label, "type": kind, "required": required, **rest}


def _reason() -> dict[str, Any]:
    return _field("reason", "textarea", t("act.reason"), validation={"max_length": REASON_MAX})
