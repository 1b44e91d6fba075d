"""What a browser may send: only numbers inside the ranges get through, and every other wish is answered by a sentence."""

import subprocess
import sys

import pytest

from explorer_views import page, plain
from spinsync.interfaces.explorer import catalogue, views
from spinsync.interfaces.explorer.controls import FEW, ONE, RATIO, SPINS, TWO, V, accepted, equation, rates, shown, starts


@pytest.mark.parametrize(
    ("sent", "holds", "said"),
    [
        (4.5, 4.5, ""),
        (1e9, 5.0, "coupling V/(κ+γ): 1e+09 is outside 0 to 5; 5 is used."),
        (-1, 0.0, "coupling V/(κ+γ): −1 is outside 0 to 5; 0 is used."),
        ("__import__('os').getpid()", 3.0, "coupling V/(κ+γ) must be a number."),
        (None, 3.0, "coupling V/(κ+γ) must be a number."),
        (True, 3.0, "coupling V/(κ+γ) must be a number."),
        (float("nan"), 3.0, "coupling V/(κ+γ) must be a number."),
        (float("inf"), 3.0, "coupling V/(κ+γ) must be a number."),
        (10**400, 3.0, "coupling V/(κ+γ) must be a number."),
        ([3], 3.0, "coupling V/(κ+γ) must be a number."),
    ],
)
def test_only_numbers_inside_the_range_are_taken(sent, holds, said):
    values, sentence = accepted((V,), {"V": sent, "unknown": 3}, {"V": 3.0})
    assert values == {"V": holds}
    assert sentence == said


def test_whole_numbers_stay_whole():
    assert accepted((SPINS,), {"N": 7.4}, {"N": 20.0})[0] == {"N": 7.0}
    assert accepted((SPINS,), {"N": 123456}, {"N": 20.0}) == ({"N": 123456.0}, "")
    assert accepted((SPINS,), {"N": 2_000_000}, {"N": 20.0}) == (
        {"N": 1e6}, "number of spins N: 2000000 is outside 2 to 1000000; 1000000 is used."
    )  # fmt: skip


def test_a_logarithmic_range_keeps_its_numbers():
    assert accepted((RATIO,), {"r": 0.333}, {"r": 3.0}) == ({"r": 0.333}, "")
    assert accepted((RATIO,), {"r": 0.0}, {"r": 3.0})[0] == {"r": RATIO.low}
    assert accepted((RATIO,), {"r": 13}, {"r": 3.0}) == (
        {"r": 12.0}, "gain-to-damping ratio r = κ/γ: 13 is outside 0.083 to 12; 12 is used."
    )  # fmt: skip


def test_gain_and_damping_add_up_to_the_unit():
    assert rates({"r": 3.0}) == {"gain": 0.75, "damping": 0.25}
    for r in (RATIO.low, 0.7, RATIO.high):
        assert sum(rates({"r": r}).values()) == pytest.approx(1, abs=1e-15)
        assert rates({"r": r})["gain"] == pytest.approx(rates({"r": 1 / r})["damping"], abs=1e-15)  # a mirror


@pytest.mark.parametrize(("value", "text"), [(-0.2, "−0.20"), (-0.001, "0.00"), (0.345, "0.34"), (12.0, "12.00")])
def test_numbers_have_a_minus_sign_and_no_negative_zero(value, text):
    assert shown(value) == text
    assert equation("R", value) == f"<i>R</i>\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{text}"


@pytest.mark.parametrize("controls", [ONE, TWO, FEW])
def test_what_the_page_starts_with_is_allowed(controls):
    assert accepted(controls, {}, starts(controls)) == (starts(controls), "")
    for control in controls:
        assert control.low <= control.start <= control.high


def test_the_catalogue_describes_what_the_views_compute():
    for one in catalogue.PAGES:
        view = views.VIEWS[one["key"]]
        assert view.controls == one["controls"]
        assert [download["name"] for download in one["downloads"]] == list(view.pictures)
        assert ("not the motion on the screen" in one.get("runs", "")) == ("sphere" in view.pictures)
        names = [control.name for control in one["controls"]]
        for preset in catalogue.presets(one):
            values = starts(one["controls"], **preset["values"])
            assert set(preset["values"]) <= set(names)
            assert accepted(one["controls"], preset["values"], starts(one["controls"])) == (values, "")


def test_presets_fit_into_one_row_and_introductions_into_two_lines():
    for key in ("one", "two", "few"):
        assert sum(map(len, page(key)["presets"])) <= 110
        assert len(plain(page(key)["intro"])) <= 160


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("catalogue, controls, steps", {"numpy", "scipy", "xarray", "matplotlib", "numba"}),
        ("views", {"scipy", "matplotlib", "numba"}),
    ],
)
def test_the_page_can_be_shown_before_any_science_is_loaded(modules, heavy):
    program = (
        f"import sys, json; from spinsync.interfaces.explorer import catalogue, {modules}\n"
        f"json.dumps(catalogue.pages()); print(sorted({heavy!r} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
