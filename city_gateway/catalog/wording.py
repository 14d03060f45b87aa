"""What the publisher reads about a mistake, by its stable code."""

from __future__ import annotations

from city_gateway.catalog.errors import CatalogError, Problem, SourceRefused
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
