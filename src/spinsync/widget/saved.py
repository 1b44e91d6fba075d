"""A web page in one file with the widget and its run; it makes no request."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Any

from spinsync._version import __version__

HERE = Path(__file__).parent
CURVES_WIDTH = 588  # CSS pixels of the widget without its sphere: widest curves, gap and padding (sphere.css)
START = """
const state = decoded(JSON.parse(document.getElementById("state").textContent));
widget.render({ model: new LocalModel(state), el: document.getElementById("widget") });
"""


def encoded(value: Any) -> Any:
    """The value of a trait as JSON can hold it; bytes become {"base64": text}, which `decoded` of model.js reads."""
    if isinstance(value, bytes):
        return {"base64": b64encode(value).decode()}
    return {name: encoded(v) for name, v in value.items()} if isinstance(value, Mapping) else value


def page(state: Mapping[str, Any], script: str, style: str, title: str) -> str:
    """The text of the page.

    `state`: values of the traits; `script`: the ES module that defines `widget`; `style`: its style sheet; `title`: any text.
    The content security policy allows exactly these two, by their hashes, and forbids every request.
    """
    own_style = Template(_read("saved.css")).substitute(width=f"{state['height'] + CURVES_WIDTH}px")
    parts = {"script": script + _read("model.js") + START, "style": own_style + style}
    allowed = [f"{kind}-src '{_hash(text)}'" for kind, text in parts.items()]
    policy = "; ".join(["default-src 'none'", *allowed, "img-src data:", "base-uri 'none'", "form-action 'none'"])
    data = json.dumps(encoded(state), allow_nan=False).replace("<", r"\u003c")  # no name of a group can end the element
    return Template(_read("saved.html")).substitute(
        parts, policy=policy, version=__version__, title=html.escape(title), state=data
    )


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The source expression of a content security policy that allows an element with this text."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
