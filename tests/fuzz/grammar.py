"""Model files and command lines by a grammar: mostly valid, with parts changed, doubled, cut and broken."""

from __future__ import annotations

from hypothesis import strategies as st

VALID = {
    "gain": "3.0", "damping": "1", "dephasing": "0.1", "coupling": "12.0", "theta": "-1.2", "frequency": "0.5",
    "detuning": "2.0", "cross_coupling": "1.0", "cross_theta": "[0.3, 0.4]", "weights": "[1, 2]", "spins": "1000",
    "vacuum_coupling": "0.1", "cavity_decay": "20.0", "cavity_detuning": "1.0",
}  # fmt: skip
TABLES = {
    "single": ("gain", "damping", "coupling", "theta", "frequency", "dephasing"),
    "pair": ("detuning", "gain", "damping", "coupling", "theta", "cross_coupling", "cross_theta", "dephasing", "weights"),
    "cavity": ("spins", "vacuum_coupling", "cavity_decay", "cavity_detuning", "gain", "damping", "dephasing", "frequency"),
}
FREQUENCIES = [
    "0.5", "{gaussian = {std = 0.5}}", "{uniform = {half_width = 0.3, center = 1.0}}", "{samples = {values = [0.1, -0.2]}}",
    "{samples = {count = 3, seed = 1, of = {gaussian = {std = 0.5}}}}",
]  # fmt: skip
ODD = [
    "", "0", "-1", "1e300", "-1e300", "1e400", "1e-320", "nan", "inf", "-inf", "1_000", "0x10", "9" * 400, "9" * 5000, "true",
    "false", '"3"', '"a\\nb"', '"\\u0000"', "'x'", '"' + "x" * 5000 + '"', "[]", "[1]", "[1, 2, 3]", "[[1], [2, 3]]",
    "[1, true]", "[1, '2']", "[nan, 1]", "{}", "{a = 1}", "{gaussian = {}}", "{gaussian = {std = -1}}",
    "{gaussian = {std = 1, std = 2}}", "{lorentzian = {half_width = 1e300}}", "{samples = {values = []}}",
    "{samples = {values = [1, true]}}", "{samples = {base64 = 'AA=='}}", "{samples = {base64 = '!'}}",
    "{samples = {base64 = 3}}", "{samples = {count = -1, seed = 0, of = {gaussian = {std = 1}}}}",
    "{samples = {count = 2, seed = 0, of = {samples = {values = [1]}}}}", "2026-01-01", "12:00:00", "[" * 200 + "]" * 200, "=",
    "1 2", "[1, ", "{", "\x00", "é", "[[1.0]]", "[{}]", "1.5",
]  # fmt: skip
LINES = [
    "", "# a comment", "[single]", "[pair]", "[[groups]]", "[changes]", "[coupling_matrix]", "[x]", "lamb_shift = true",
    "lamb_shift = 1", "changes = 3", "groups = []", "groups = [3]", "x = 1", "= 1", "]", "gain = 2", '"A.gain" = 2',
    '"A.A.theta" = nan', '"B.gain" = 1', "real = [[0]]", "imag = [[1]]", "imag = [[1, 2], [3]]", "imag = [[true]]",
    "name = 'A.B'", "name = '\\u0000'", "\ufeff", "\r",
]  # fmt: skip


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A model file; half of the files are valid."""
    kind = draw(st.sampled_from([*TABLES, "groups"]))
    lines = _groups(draw) if kind == "groups" else [f"[{kind}]", *(f"{n} = {_value(draw, n)}" for n in TABLES[kind])]
    if draw(st.booleans()):
        lines += ["[changes]", f'"A.gain" = {draw(st.sampled_from(["2.0", "0"]))}']
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        where = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(["odd", "odd", "drop", "double", "line", "cut"]))
        name = lines[where].split("=", 1)[0]
        if change == "odd":
            lines[where] = f"{name}= {draw(st.sampled_from(ODD))}" if "=" in lines[where] else lines[where]
        elif change == "cut":
            lines[where] = lines[where][: draw(st.integers(0, len(lines[where])))]
        else:
            pieces = {"drop": [], "double": [lines[where]] * 2, "line": [draw(st.sampled_from(LINES)), lines[where]]}
            lines[where : where + 1] = pieces[change]
        lines = lines or [""]
    return "\n".join(lines) + "\n"


def _value(draw: st.DrawFn, name: str) -> str:
    return draw(st.sampled_from(FREQUENCIES)) if name == "frequency" else VALID[name]


def _groups(draw: st.DrawFn) -> list[str]:
    size = draw(st.integers(1, 2))
    lines = ["lamb_shift = true"] if draw(st.booleans()) else []
    for _ in range(size):
        lines += ["[[groups]]", "gain = 3.0", "damping = 1", f"frequency = {_value(draw, 'frequency')}", "weight = 0.5"]
    matrix = [[1.5] * size] * size
    return [*lines, "[coupling_matrix]", f"real = {matrix}", f"imag = {matrix}"]


NUMBERS = ["3", "2", "1", "4"]
WRONG = [
    "", "-1", "0", "nan", "inf", "1e400", "x", "9" * 400, "9" * 5000, "1.5", "１", "a\nb", "--", "true", "0x3", "1_0", "\udcff",
]  # fmt: skip
THEORIES = ["mean-field", "exact", "brute-force", "trajectories"]
OPTIONS = ["--theory", "--spins", "--until", "--points", "--seed", "--out"]


@st.composite
def commands(draw: st.DrawFn, model: str) -> list[str]:
    """A command line that is cheap if it is valid; `paper` and `explore` are not run."""
    command = draw(st.sampled_from(["evolve", "evolve", "steady-state", "regime"]))
    words = [command, model]
    if command == "evolve":
        words += ["--until", draw(st.sampled_from(["0.5", "1"])), "--points", draw(st.sampled_from(["2", "5"]))]
    if command != "regime" and draw(st.booleans()):
        theory = draw(st.sampled_from(THEORIES[:3]))
        words += ["--theory", theory, *(["--spins", draw(st.sampled_from(NUMBERS))] if theory != "mean-field" else [])]
    if draw(st.booleans()):
        words += ["--seed", draw(st.sampled_from(NUMBERS))]
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        change = draw(st.sampled_from(["drop", "double", "wrong", "option", "command", "path"]))
        where = draw(st.integers(0, len(words) - 1))
        if change == "option":
            words += [draw(st.sampled_from([*OPTIONS, "--x", "-h", "--version", "--help"])), draw(st.sampled_from(WRONG))]
        elif change == "command":
            words[0] = draw(st.sampled_from(["", "evolv", "x" * 5000, "a\nb", "--version", "--help", "regime", "steady-state"]))
        elif change == "path" and len(words) > 1:
            words[1] = draw(st.sampled_from(["", ".", "no.toml", "x" * 5000, "a\0b", "a\nb", "\udcff", "é.toml"]))
        elif change == "wrong":
            words[where] = draw(st.sampled_from(WRONG))
        else:
            words[where : where + 1] = [] if change == "drop" else [words[where]] * 2
        words = words or [""]
    return words
