"""Which key does what on which screen. The key bar, the bindings and the manual's table are all made from here.

Laws: F1 is help, F3 says why something waits, F8 locks and Esc is back on every screen; a key that types a character is
bound only where nothing is typed.
Function keys have a control key beside them, for serial lines that swallow function keys.
"""

from dataclasses import dataclass

from textual.binding import Binding, BindingType

from tui.actions import ACTIONS
from tui.wording import of


@dataclass(frozen=True, slots=True)
class Bound:
    """A key of a screen; `keys` is empty when a widget of the screen handles it itself."""

    shown: str
    action: str
    keys: str = ""


HELP = Bound("F1", "help", "f1")
BACK = Bound("Esc", "back", "escape")
CHOOSE = Bound("1-9", "choose")
LINE = Bound("F3", "line", "f3,ctrl+t")
TURN = Bound("PgDn", "turn")
SCROLL = Bound("↑↓", "scroll")
NEXT_FIELD = Bound("Tab", "next_field")
SEND = Bound("F9", "send", "f9,ctrl+s")
FORGOT = Bound("F2", "forgot", "f2,ctrl+o")

KEYMAP: dict[str, tuple[Bound, ...]] = {
    "sign_in": (
        HELP,
        NEXT_FIELD,
        Bound("Enter", "send", "f9,ctrl+s"),
        FORGOT,
        Bound("F6", "practise", "f6,ctrl+x"),
        Bound("Ctrl+Q", "leave"),
    ),
    "practice": (HELP, Bound("Enter", "begin_practice", "enter,f9,ctrl+s"), SCROLL, Bound("Ctrl+Q", "leave")),
    "lock": (HELP, Bound("Enter", "send", "f9,ctrl+s"), FORGOT, Bound("Ctrl+Q", "leave")),
    "recovery": (HELP, NEXT_FIELD, SEND, BACK),
    "home": (HELP, CHOOSE, LINE, Bound("F8", "lock", "f8,ctrl+l"), Bound("Ctrl+Q", "leave")),
    "search": (HELP, CHOOSE, TURN, BACK),
    "guide": (HELP, Bound("Enter", "begin", "enter,f9,ctrl+s"), SCROLL, BACK),
    "drafts": (HELP, CHOOSE, TURN, Bound("Del", "discard", "delete"), BACK),
    "wizard": (
        HELP,
        Bound("PgUp", "previous_step", "pageup,ctrl+p"),
        Bound("PgDn", "next_step", "pagedown,ctrl+n"),
        Bound("F4", "add_scan", "f4,ctrl+o"),
        Bound("F5", "check", "f5,ctrl+r"),
        Bound("F6", "notice", "f6,ctrl+g"),
        Bound("F7", "newer", "f7"),
        Bound("F9", "collect", "f9,ctrl+s"),
        BACK,
    ),
    "material": (
        HELP,
        NEXT_FIELD,
        Bound("F4", "add_scan", "f4,ctrl+o"),
        Bound("F2", "phone", "f2,ctrl+g"),
        Bound("F6", "remove_scan", "f6,ctrl+x"),
        Bound("Esc", "done", "escape"),
    ),
    "phone": (
        HELP,
        Bound("F2", "other_address", "f2,ctrl+g"),
        Bound("F5", "invite", "f5,ctrl+r"),
        Bound("Esc", "done", "escape,enter"),
    ),
    "scan_picker": (
        HELP,
        CHOOSE,
        TURN,
        Bound("F9", "attach", "f9,ctrl+s"),
        Bound("F5", "reload", "f5,ctrl+r"),
        Bound("F2", "folder", "f2,ctrl+o"),
        BACK,
    ),
    "region_picker": (HELP, Bound("1-9 Enter", "choose"), TURN, Bound("F2", "up", "f2,ctrl+o"), BACK),
    "table_row": (HELP, NEXT_FIELD, SEND, BACK),
    "act_form": (HELP, NEXT_FIELD, SEND, BACK),
    "choose": (HELP, CHOOSE, BACK),
    "slip": (HELP, SCROLL, Bound("F6", "print", "f6,ctrl+x"), Bound("Esc", "home", "escape,enter")),
    "applications": (
        HELP,
        CHOOSE,
        TURN,
        Bound("/", "find", "slash"),
        Bound("f", "filter", "f"),
        LINE,
        Bound("F5", "reload", "f5,ctrl+r"),
        BACK,
    ),
    "courier": (
        HELP,
        CHOOSE,
        Bound("F6", "again", "f6,ctrl+x"),
        Bound("F5", "reload", "f5,ctrl+r"),
        BACK,
    ),
    "application": (HELP, CHOOSE, SCROLL, LINE, Bound("F5", "reload", "f5,ctrl+r"), BACK),
    "line": (HELP, CHOOSE, TURN, Bound("F5", "reload", "f5,ctrl+r"), BACK),
    "notice": (HELP, SCROLL, BACK),
    "stopped": (HELP, SCROLL, BACK),
    "help": (Bound("Esc", "back", "escape,f1,enter"),),
}


def bindings_for(place: str) -> list[BindingType]:
    """The Textual bindings of a screen; help, locking and leaving belong to the app, everywhere."""
    return [
        Binding(bound.keys, ACTIONS[bound.action].does, show=False)
        for bound in KEYMAP[place]
        if bound.keys and bound.action not in {"help", "leave", "line", "lock"}
    ]


def shown_for(place: str) -> list[tuple[str, str]]:
    """What the key bar of a screen shows."""
    return [(bound.shown, of("key", ACTIONS[bound.action].words)) for bound in KEYMAP[place]]
