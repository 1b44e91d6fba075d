"""Odd values for every argument of every public function: an error message, or an answer without NaN."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from arguments import NAMES, functions
from ledger import call, sure
from odd import ONE, VALUES
from runs import SEED, examples

#: (function, argument) -> why it gets no odd values
LEFT_OUT = {("plot.movie", "speed"): "a slow movie of a million frames is allowed", ("plot.save", "figure"): "made here"}


def ask(name: str, argument: str | None = None, value: Any = None) -> None:
    """One call, with one odd argument or none; files that it writes are removed."""
    function, arguments = functions()[name]
    arguments = dict(arguments)
    if name == "Ensemble/from_toml":
        ONE.to_toml("given.toml")
    if name == "plot.save":
        arguments["figure"] = plt.figure(figsize=(1, 1))
    if argument is not None:
        arguments[argument] = value
    try:
        (sure if argument is None else call)(name.split("/", 1)[0], function, **arguments)
    finally:
        plt.close("all")
        for path in Path.cwd().iterdir():  # named by the call, or by its odd value
            assert not path.name.startswith("."), f"{name} leaves {path.name}"
            path.unlink()


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_argument_ends_in_an_error_message_or_an_answer(name: str) -> None:
    ask(name)

    @given(st.data())
    @examples(30)
    @seed(SEED)
    def odd(data: st.DataObject) -> None:
        argument = data.draw(st.sampled_from([one for one in functions()[name][1] if (name, one) not in LEFT_OUT]))
        ask(name, argument, VALUES[data.draw(st.integers(0, len(VALUES) - 1))])

    odd()
