"""What the publisher reads: a mistake by its stable code, a stage in words."""

from __future__ import annotations

from collections.abc import Callable

from city_gateway.catalog.errors import CatalogError, Problem, SourceRefused
from city_gateway.catalog.publication import Rollout
from city_gateway.wording import words


def problem_line(problem: Problem) -> str:
    """One line for one mistake of the source: where, what, which."""
    what = words(f"problem.{problem.code}")
    if not problem.found:
        return words("problem.line", where=problem.where, what=what)
    return words("problem.line_found", where=problem.where, what=what, found=problem.found)


def error_lines(error: CatalogError) -> list[str]:
    """The sentence of an error, and below it every problem it carries."""
    lines = [words(f"error.{error.code}", **error.fields)]
    if isinstance(error, SourceRefused):
        lines += [problem_line(problem) for problem in error.problems]
    return lines


def stage_line(stage: Rollout, told: Callable[..., str] = words) -> str:
    """Who takes a release, in words."""
    where = told("stage.regions", regions=list(stage.regions)) if stage.regions else told("stage.everywhere")
    line = told("stage.line", percent=stage.percent, where=where)
    return told("stage.paused", line=line) if stage.paused else line
