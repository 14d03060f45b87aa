"""The line in which the screen answers: what was saved, what was refused and why. Empty lines take no room."""

from textual.widgets import Static


class SayLine(Static):
    """One sentence, with its tone."""

    TONES = ("plain", "good", "warning", "error")

    def say(self, sentence: str, tone: str = "plain") -> None:
        """Show a sentence until the next one; an empty one hides the line."""
        for other in self.TONES:
            self.set_class(other == tone, other)
        self.sentence = sentence
        self.update(sentence)
        self.display = bool(sentence)

    def on_mount(self) -> None:
        self.sentence = ""
        self.display = False
