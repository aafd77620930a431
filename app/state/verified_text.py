"""The text that *Verify* writes under three conditions, and what that found."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.audit.ordinary_model import OrdinaryAnswer
from model.audit.text_conditions import TextConditions
from model.settings import DecodingSettings


@dataclass
class VerifiedText:
    """A prompt, and its text with the graph, without the facts it used, and without lookups."""

    chosen: bool = False  # whether the page shows it in place of a fact
    prompt: str = ""
    settings: DecodingSettings = field(default_factory=DecodingSettings)
    running: bool = False
    stopped: int = 0  # the number of the verification that a person stopped
    result: TextConditions | None = None
    graph: str = ""  # the state of the graph that it read
    seconds: float = 0.0
    asking: bool = False  # whether an ordinary model is asked the same
    answer: OrdinaryAnswer | None = None  # of the ordinary model

    def give_up(self) -> None:
        """Something else is verified now, and nobody waits for this."""
        self.running = self.asking = False
