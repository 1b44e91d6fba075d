"""Error cases: what they check, and their names, which are their source texts: `test_error_message[ss.Group(-0.1, 1)]`."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

import spinsync as ss

LONGEST = 60
#: the parameters of one group, as error messages list them
PARAMETERS = "gain, damping, coupling, theta, frequency, dephasing, A.gain, A.damping, A.dephasing, A.frequency, A.weight, "
PARAMETERS += "A.A.coupling, A.A.theta"


def check_message(call: Callable[[], object], message: str) -> None:
    """The call ends in an InputError with exactly this message."""
    with pytest.raises(ss.InputError) as caught:
        call()
    assert str(caught.value) == message


def case_names(file: str, name: str) -> list[str]:
    """Source texts of the entries of the list `name` in a test file: of tuples the first item, of lambdas the body.

    They are cut at LONGEST characters and numbered where two are equal.
    """
    source = Path(file).read_text(encoding="utf-8")
    lists = [n.value for n in ast.parse(source).body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == name]
    found: list[str] = []
    for entry in lists[-1].elts:
        case = entry.elts[0] if isinstance(entry, ast.Tuple) else entry
        text = " ".join((ast.get_source_segment(source, case.body if isinstance(case, ast.Lambda) else case) or "").split())
        text = text if len(text) <= LONGEST else f"{text[: LONGEST - 4]} ..."
        same = sum(text == one.rpartition(" #")[0] or text == one for one in found)
        found.append(f"{text} #{same + 1}" if same else text)
    return found
