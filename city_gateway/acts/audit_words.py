"""An entry of the city's audit in words, for the page and for the command line."""

from __future__ import annotations

from collections.abc import Callable

from casework.working_days import CITY_TIME
from city_gateway.acts.office_audit import OfficeAct, department_of
from city_gateway.ledger.office_audit import AuditRow
from city_gateway.wording import say

HASH_SHOWN = 12


def act_of(row: AuditRow, told: Callable[..., str] = say) -> str:
    """What was done."""
    if row.act == OfficeAct.RULED:
        return told("audit.ruled", ruling=told(f"event.{row.about}"))
    if row.act == OfficeAct.SCAN_OPENED:
        return told("audit.scan", scan=row.about[:HASH_SHOWN])
    done = told(f"audit.act.{row.act}")
    return told("audit.about", act=done, about=row.about) if row.about else done


def stood_for(row: AuditRow, told: Callable[..., str] = say) -> str:
    """The department the person stood for; at the command line nobody stands for one."""
    return department_of(row) or told("audit.by_command")


def line_of(row: AuditRow, told: Callable[..., str] = say) -> str:
    """One entry on one line."""
    return told(
        "audit.line",
        seq=row.seq,
        at=f"{row.at.astimezone(CITY_TIME):%Y-%m-%d %H:%M:%S}",
        clerk=row.clerk_id,
        department=stood_for(row, told),
        act=act_of(row, told),
        application=row.application_id or "",
    )
