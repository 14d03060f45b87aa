"""The fixtures of this folder."""

from tests.journeys.founded import founded_town

__all__ = ["founded_town"]
