"""A misspelled keyword of any public function or class is one sentence with the nearest name."""

import inspect

import pytest

import spinsync as ss
from systems import laser

NO_KEYWORDS = {"CavityWarning", "InputError", "IntegrationError", "Regime", "plot", "__version__"}
FREE_KEYWORDS = {"Ensemble.replace", "plot.style", "sweep"}  # which have messages of their own


def public():
    """Every public function, class and method, by the name that users write."""
    yield from ((name, getattr(ss, name)) for name in ss.__all__ if name not in NO_KEYWORDS)
    yield from ((f"plot.{name}", getattr(ss.plot, name)) for name in ss.plot.__all__ if name.islower())
    for name in ("single", "pair", "cavity", "split", "to_toml", "from_toml"):
        yield f"Ensemble.{name}", getattr(ss.Ensemble if name in ("single", "pair", "cavity", "from_toml") else laser(), name)
    for name in ("Lorentzian", "Gaussian", "Uniform"):
        yield f"{name}.sample", getattr(ss, name)(1.0).sample


PUBLIC = {name: thing for name, thing in public() if name not in FREE_KEYWORDS}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_misspelled_keyword_is_told(name):
    names = list(inspect.signature(PUBLIC[name]).parameters)
    assert names
    near = max(names, key=len)
    wrong = near[:-1] + "_"
    with pytest.raises(ss.InputError, match=rf"^Argument `keyword` must be one of .*, but is keyword='{wrong}' \(") as told:
        PUBLIC[name](**{wrong: 1})
    assert f"(did you mean {near!r}?)." in str(told.value)
    assert isinstance(told.value, TypeError)  # as Python itself says it


def test_keywords_are_listed_as_the_signature_has_them():
    with pytest.raises(ss.InputError) as told:
        ss.Group(3, 1, dephasng=0.2)
    assert str(told.value) == (
        "Argument `keyword` must be one of gain, damping, dephasing, frequency, weight, name, but is keyword='dephasng' "
        "(did you mean 'dephasing'?)."
    )
    with pytest.raises(TypeError, match="missing"):  # what is left out stays Python's own message
        ss.Ensemble.single(gain=1.0)
