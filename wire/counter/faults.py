"""How the node refuses: one shape for every refusal, and for what is wrong with a field."""

from pydantic import Field

from wire.fields import Plain, Told


class FieldProblemView(Told):
    """What is wrong with one field; `row` and `column` place it inside a table."""

    field_id: str
    code: str
    message: str
    params: Plain = Field(default_factory=dict)
    row: int | None = None
    column: str | None = None


class FaultBody(Told):
    """Why a call was refused."""

    code: str
    message: str
    params: Plain = Field(default_factory=dict)
    fields: list[FieldProblemView] = Field(default_factory=list)


class Fault(Told):
    """The one shape of every refusal."""

    error: FaultBody
