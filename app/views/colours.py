"""The colours of the page by name, light and dark, as exports need them.

`assets/page.css` is the only place that states them: `LIGHT["mark"]`.
"""

from __future__ import annotations

import re
from pathlib import Path

_STYLE = Path(__file__).parents[1] / "assets" / "page.css"
_ONE = re.compile(r"--([\w-]+): ([^;]+);")


def _block(selector: str) -> dict[str, str]:
    style = _STYLE.read_text(encoding="utf-8")
    begin = style.index(f"{selector} {{")
    return dict(_ONE.findall(style[begin : style.index("}", begin)]))


LIGHT = _block("\n:root")
DARK = _block("\n.dark")
