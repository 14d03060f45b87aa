"""Every act a key can cause: its Textual action, and the family member that names it in the key bar and the help."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """An act of the screen."""

    does: str
    words: str


ACTIONS = {
    "help": Action("app.help", "help"),
    "back": Action("screen.back", "back"),
    "choose": Action("screen.nothing", "choose"),
    "turn": Action("screen.nothing", "turn"),
    "next_field": Action("screen.nothing", "next_field"),
    "send": Action("screen.send", "send"),
    "practise": Action("screen.practise", "practise"),
    "begin_practice": Action("screen.begin", "begin_practice"),
    "lock": Action("app.lock", "lock"),
    "line": Action("app.line", "line"),
    "leave": Action("app.leave", "leave"),
    "forgot": Action("screen.forgot", "forgot"),
    "find": Action("screen.find", "find"),
    "filter": Action("screen.filter", "filter"),
    "begin": Action("screen.begin", "begin"),
    "previous_step": Action("screen.step(-1)", "previous_step"),
    "next_step": Action("screen.step(1)", "next_step"),
    "check": Action("screen.check", "check"),
    "collect": Action("screen.collect", "collect"),
    "discard": Action("screen.discard", "discard"),
    "add_scan": Action("screen.add_scan", "add_scan"),
    "phone": Action("screen.phone", "phone"),
    "other_address": Action("screen.other_address", "other_address"),
    "invite": Action("screen.reload", "invite"),
    "print": Action("screen.print", "print"),
    "remove_scan": Action("screen.remove_scan", "remove_scan"),
    "attach": Action("screen.attach", "attach"),
    "folder": Action("screen.folder", "folder"),
    "reload": Action("screen.reload", "reload"),
    "again": Action("screen.again", "again"),
    "notice": Action("screen.notice", "notice"),
    "newer": Action("screen.newer", "newer"),
    "scroll": Action("screen.nothing", "scroll"),
    "done": Action("screen.back", "done"),
    "up": Action("screen.up", "up"),
    "home": Action("screen.go_home", "home"),
}
