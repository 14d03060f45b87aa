"""What is wrong with a field, as a sentence beside its code; the value itself is never repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from casework.forms import FieldProblem, Form
from edge_node.wording import sentence
from wire.counter import FieldProblemView


def views(form: Form | None, found: Iterable[FieldProblem]) -> list[FieldProblemView]:
    """Each problem with its sentence."""
    return [
        FieldProblemView(
            field_id=problem.field_id,
            code=problem.code,
            message=sentence(problem.code, _worded(form, problem)),
            params=dict(problem.params),
            row=problem.row,
            column=problem.column,
        )
        for problem in found
    ]


def _worded(form: Form | None, problem: FieldProblem) -> Mapping[str, Any]:
    """The parameters in the words of the form: labels for field ids."""
    params = dict(problem.params)
    if (other := params.get("other")) is not None:
        params["other_label"] = _label(form, problem.field_id, str(other))
    return params


def _label(form: Form | None, field_id: str, other: str) -> str:
    if form is None:
        return other
    columns = form.by_id[field_id].columns if field_id in form.by_id else ()
    inner = next((column.label for column in columns if column.id == other), None)
    return inner or (form.by_id[other].label if other in form.by_id else other)
