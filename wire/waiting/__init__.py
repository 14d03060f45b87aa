"""Why something has not reached the city yet, who must act, what happens next, and when: one vocabulary for all.

Laws:
- Whatever the facts, every item has exactly one explanation; a property test goes through their combinations.
- Codes only: each surface words `Reason`, `Who` and `Then` in its own language.
- What a person must do stands before what passes by itself; the order of `Reason` is the order of urgency.
- Nothing here decides anything: an explanation never changes what is sent.
"""

from wire.waiting.alarms import ALARMS, Alarm
from wire.waiting.explaining import conditions, explain, most_urgent
from wire.waiting.facts import Facts, Hold, Item, Place, Road
from wire.waiting.reasons import RULES, Explanation, Reason, Rule, Then, Who

__all__ = [
    "ALARMS",
    "RULES",
    "Alarm",
    "Explanation",
    "Facts",
    "Hold",
    "Item",
    "Place",
    "Reason",
    "Road",
    "Rule",
    "Then",
    "Who",
    "conditions",
    "explain",
    "most_urgent",
]
