"""The table of parameters contains all arguments of constructors; checks, files, axes and figures use it."""

import ast
import inspect
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import spinsync as ss
from spinsync.model.couplings import Dense
from spinsync.model.parameters import CLOUDS, CONSTRUCTORS, FIELDS, LINKS, PARAMETERS, RATE, REQUIRED, default

SOURCE = Path(ss.__file__).parent
BASE = {"gain": 3.0, "damping": 1.0, "coupling": 12.0, "theta": -1.2}
MODELS = {
    "single": ss.Ensemble.single(**BASE),
    "pair": ss.Ensemble.pair(**BASE, detuning=3.0),
    "cavity": ss.Ensemble.cavity(spins=50, vacuum_coupling=0.5, cavity_decay=90.0, gain=1.0, damping=0.3),
    "groups": ss.Ensemble([ss.Group(3, 1), ss.Group(2, 1)], [[-6j, 1], [2, -3j]]),
}
DOTTED = [f"A.{name}" for name in FIELDS] + [f"A.B.{name}" for name in LINKS]
EVERY = [(constructor, name) for constructor, names in CONSTRUCTORS.items() for name in names if name != "weights"]
EVERY += [("groups", name) for name in DOTTED]


def signature(function):
    """Keyword parameters of a signature and their defaults, REQUIRED where there is none."""
    listed = inspect.signature(function).parameters.values()
    return {p.name: REQUIRED if p.default is p.empty else p.default for p in listed if p.name not in ("cls", "self")}


@pytest.mark.parametrize("constructor", ["single", "pair", "cavity"])
def test_signature_of_a_constructor_agrees_with_the_table(constructor):
    found = signature(getattr(ss.Ensemble, constructor))
    assert tuple(found) == CONSTRUCTORS[constructor]
    assert found == {name: default(constructor, name) for name in found}


def test_signature_of_group_agrees_with_the_table():
    found = {name: default for name, default in signature(ss.Group).items() if name != "name"}
    assert tuple(found) == FIELDS
    assert found == {name: PARAMETERS[name].default for name in found}


def test_every_parameter_of_the_table_belongs_to_a_constructor_and_is_described():
    used = {name for names in CONSTRUCTORS.values() for name in names} | set(FIELDS)
    assert used == set(PARAMETERS)
    for one in PARAMETERS.values():
        assert one.meaning
        assert one.label
        assert one.symbol
        assert one.unit in (RATE, "rad", "1")
        assert set(one.fields) <= {*FIELDS, *LINKS}


@pytest.mark.filterwarnings("ignore::spinsync.CavityWarning")
@pytest.mark.parametrize(("constructor", "name"), EVERY)
def test_every_parameter_is_checked_varied_saved_and_plotted(constructor, name, tmp_path):
    model, values = MODELS[constructor], [1.0, 2.0]
    if constructor == "cavity" and name in CLOUDS:
        model = ss.Ensemble.cavity(**model.recipe.parameters | {"detuning": 0.5})
    assert model.recipe.accepts(name)
    assert name in list(model.recipe.names())
    with pytest.raises(ss.InputError, match=f"Argument `{name}` must be"):
        model.replace(**{name: "much"})
    changed = model.replace(**{name: 2.0})
    assert changed != model
    changed.to_toml(tmp_path / "model.toml")
    assert ss.Ensemble.from_toml(tmp_path / "model.toml") == changed
    assert ss.Ensemble.from_toml(tmp_path / "model.toml").replace(**{name: 1.0}) == model.replace(**{name: 1.0})
    diagram = ss.phase_diagram(model, {name: values})
    axis = diagram["A.frequency" if name == "frequency" else name]
    one = PARAMETERS[name.split(".")[-1]]
    assert axis.attrs["units"] == one.unit
    assert one.meaning in axis.attrs["long_name"]
    label = ss.plot.cut(diagram).get_xlabel()
    plt.close()
    assert one.symbol in label
    assert one.label in label


def test_no_other_module_contains_a_table_of_parameters():
    """No dictionary or set in the package has three names of parameters."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            entries = node.keys if isinstance(node, ast.Dict) else node.elts if isinstance(node, ast.Set) else []
            names = {key.value for key in entries if isinstance(key, ast.Constant)} & set(PARAMETERS)
            assert len(names) < 3, f"{path}:{node.lineno} has {names}"


def test_replacing_one_parameter_does_not_list_all_names(monkeypatch):
    many = ss.Ensemble([ss.Group(3, 1) for _ in range(60)], np.full((60, 60), -1j))
    monkeypatch.setattr(Dense, "names", None)  # 2 N^2 names
    changed = many.replace(**{"A.gain": 2.0, "B.C.coupling": 3.0})
    assert changed.groups[0].gain == 2.0
    assert changed.coupling_matrix[1, 2] == pytest.approx(-3j)
    assert np.count_nonzero(changed.coupling_matrix != many.coupling_matrix) == 1
    with pytest.raises(ss.InputError, match=r"with any of the 60 groups, .* \(did you mean 'A.gain'\?\)\.$"):
        many.replace(**{"A.gian": 2.0})


def matrices(*shape):
    real, imag = np.random.default_rng(3).normal(size=(2, *shape))
    return real + 1j * imag


def test_a_coupling_is_applied_edited_and_recorded():
    coupling, s = Dense(matrices(3, 3)), matrices(5, 3)
    np.testing.assert_allclose(
        coupling.apply(s), [[sum(c * x for c, x in zip(row, y, strict=True)) for row in coupling.matrix] for y in s]
    )
    strength, angle = np.array([0.0, 1.0, 2.0]), 0.7
    edited = coupling.edited(
        {(0, 1): {"coupling": strength, "theta": angle}, (2, 0): {"theta": -1.0}, (1, 1): {"coupling": 4.0}}
    )
    untouched = np.ones((3, 3), bool)
    untouched[(0, 2, 1), (1, 0, 1)] = False
    assert edited.matrix.shape == (3, 3, 3)
    assert np.array_equal(edited.matrix[:, untouched], np.broadcast_to(coupling.matrix[untouched], (3, 6)))  # bit for bit
    np.testing.assert_allclose(edited.matrix[:, 0, 1], strength * np.exp(1j * angle), rtol=1e-15)
    np.testing.assert_allclose(edited.matrix[:, 2, 0], abs(coupling.matrix[2, 0]) * np.exp(-1j), rtol=1e-15)
    np.testing.assert_allclose(edited.matrix[:, 1, 1], 4 * np.exp(1j * np.angle(coupling.matrix[1, 1])), rtol=1e-15)
    kept = coupling.record()
    again = np.empty((3, 3), complex)
    again.real, again.imag = kept["real"], kept["imag"]
    assert again.tobytes() == coupling.matrix.tobytes()


@pytest.mark.parametrize("constructor", ["single", "pair", "groups"])
def test_a_phase_is_kept_at_zero_strength(constructor):
    where = "A.A" if constructor == "single" else "A.B"
    uncoupled = MODELS[constructor].replace(**{f"{where}.theta": 0.7}).replace(**{f"{where}.coupling": 0.0})
    a, b = (0, 0) if constructor == "single" else (0, 1)
    assert uncoupled.coupling_matrix[a, b] == 0
    assert np.angle(uncoupled.replace(**{f"{where}.coupling": 2.0}).coupling_matrix[a, b]) == pytest.approx(0.7, abs=1e-15)
    swept = uncoupled.recipe.rates(**{f"{where}.coupling": np.array([3.0, 0.0, 2.0])}).coupling[:, a, b]
    np.testing.assert_allclose(swept, np.array([3.0, 0.0, 2.0]) * np.exp(0.7j), rtol=1e-15)
    rotated = uncoupled.recipe.rates(**{f"{where}.theta": np.array([0.1, 0.2])}).coupling[:, a, b]
    np.testing.assert_array_equal(rotated, [0, 0])


def test_unchanged_couplings_keep_every_bit_along_an_axis():
    three = ss.Ensemble([ss.Group(3, 1, frequency=0.1 * k) for k in range(3)], matrices(3, 3))
    rates = three.recipe.rates(**{"A.gain": np.array([1.0, 2.0])})
    np.testing.assert_array_equal(rates.coupling, np.broadcast_to(three.coupling_matrix, (2, 3, 3)))
