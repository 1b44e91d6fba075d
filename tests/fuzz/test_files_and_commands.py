"""Model files and command lines by a grammar: status 0 with an answer, or 2 with one line and nothing written."""

from __future__ import annotations

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

import spinsync as ss
from grammar import commands, texts
from ledger import REFUSED, call, check_message, count_case, limited, short, sure
from runs import SEED, examples
from spinsync.interfaces.command import run


def _command(words: list[str]) -> int:
    """The status of a command line, after checks of its output."""
    out, err = io.StringIO(), io.StringIO()
    with limited(lambda: f"spinsync {short(words)}"), redirect_stdout(out), redirect_stderr(err):
        try:
            status = run(words)
        except SystemExit as error:
            status = int(error.code or 0)
    assert status in (0, 2), f"status {status} from {short(words)}"
    message = err.getvalue()
    assert "Traceback" not in message + out.getvalue(), short(words)
    if status == 2:
        assert message.endswith("\n"), f"no message about {short(words)}"
        assert message.count("\n") == 1, f"{message!r} about {short(words)}"
        check_message(message.rstrip("\n").rstrip(".") + ".")
    return status


@pytest.mark.seconds(18)
@given(st.data())
@examples(1000)
@seed(SEED)
def test_a_file_and_a_command_line_end_in_an_answer_or_one_line(data: st.DataObject) -> None:
    model, text = Path("given.toml"), data.draw(texts())
    model.write_text(text, encoding="utf-8")
    words = data.draw(commands(str(model)))
    try:
        ensemble = call("Ensemble", ss.Ensemble.from_toml, model)
        if ensemble is not REFUSED:
            sure("Ensemble", ensemble.to_toml, "back.toml")
            assert sure("Ensemble", ss.Ensemble.from_toml, "back.toml") == ensemble
            Path("back.toml").unlink()
        status = _command(words)
        count_case(status)
        if status == 2:
            assert [path.name for path in Path.cwd().iterdir()] == ["given.toml"], f"{short(words)} writes something"
    finally:
        for path in Path.cwd().iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
