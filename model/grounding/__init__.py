"""Grounding: which words of a text were copied from the graph, and which were not.

The page and the evaluation use the same functions. They need only the trace.

- A *mark* covers words of the model that repeat a whole returned value after its lookup. We search
  up to the next lookup at another position, then up to the end of the sentence. Each of several
  values has its own mark, because a text joins them as "A, B and C".
- A lookup is `miss` if it found nothing, `faithful` if one of its values is marked, `contradicted`
  if the text says something else where the value should be, `other relation` if the sentence
  repeats a value and clearly speaks of another relation, and otherwise `unused` (a `relations`
  lookup, a step of a chain).
- A stretch is `unsupported` if it is a name, a date or a number that appears in none of these: the
  prompt, an entity that was found, a relation that was looked up, a value returned before it.

Here a "name" is a word that is not in `_ORDINARY` and has a capital letter or a digit, or is in a
script without capitals. So a wrong word in lower case ("a planet") is not found.
"""

from model.grounding.comparison import (
    CONTRADICTED,
    FAITHFUL,
    MISS,
    OTHER_RELATION,
    UNUSED,
    Grounding,
    ground,
)
from model.grounding.marks import Mark
from model.grounding.occurrences import places, says
from model.grounding.stated_relation import OtherRelation
from model.grounding.support import Stretch

__all__ = [
    "CONTRADICTED",
    "FAITHFUL",
    "MISS",
    "OTHER_RELATION",
    "UNUSED",
    "Grounding",
    "Mark",
    "OtherRelation",
    "Stretch",
    "ground",
    "places",
    "says",
]
