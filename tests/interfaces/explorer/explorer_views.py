"""The answers of a view, as tests of views read them."""

import html
import re

from spinsync.interfaces.explorer.catalogue import PAGES, presets
from spinsync.interfaces.explorer.controls import starts


def run_steps(view, values, drawn=None):
    """All parts at the end, and what is drawn then."""
    parts, drawn = {}, dict(drawn or {})
    for step in view.steps(values, drawn):
        for part, traits in step.compute().items():
            parts.setdefault(part, {}).update(traits)
        drawn.update(step.finishes)
    return parts, drawn


def plain(text):
    """Words without their markup."""
    return html.unescape(re.sub(r"<[^>]*>", "", text)).replace("\N{NO-BREAK SPACE}", " ")


def page(key):
    return next(page for page in PAGES if page["key"] == key)


def preset(key, name):
    return starts(page(key)["controls"], **next(one["values"] for one in presets(page(key)) if one["name"] == name))
