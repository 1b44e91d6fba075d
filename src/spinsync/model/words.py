"""An ensemble in words: default names of groups, and the call that makes it."""

from __future__ import annotations

from collections.abc import Sequence

from spinsync.base.arrays import Array
from spinsync.model.groups import Group
from spinsync.model.parameters import CONSTRUCTORS, PARAMETERS
from spinsync.model.recipes import Recipe


def default_name(index: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def describe(recipe: Recipe, groups: Sequence[Group], matrix: Array, lamb_shift: bool) -> str:
    """The call that makes the ensemble, defaults left out; groups and matrix where there is no such call."""
    if recipe.base is None:
        shown = [n for n in CONSTRUCTORS[recipe.constructor] if recipe.parameters[n] != PARAMETERS[n].default]
        text = f"Ensemble.{recipe.constructor}({', '.join(f'{n}={recipe.parameters[n]!r}' for n in shown)})"
        return text + (f".replace(**{dict(recipe.changes)!r})" if recipe.changes else "")
    listed = "".join(f"    {group!r},\n" for group in groups[:8])
    more = f"    ... {len(groups)} groups\n" if len(groups) > 8 else ""
    entries = repr(matrix.tolist()) if len(groups) <= 8 else "..."
    shifted = ", lamb_shift=True" if lamb_shift else ""
    return f"Ensemble([\n{listed}{more}  ],\n  {entries}{shifted},\n)"
