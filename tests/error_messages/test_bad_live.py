"""Every error message of `show`."""

import numpy as np
import pytest

import spinsync as ss
from error_cases import case_names, check_message
from spinsync.widget import packing
from systems import laser

RUN = ss.evolve(laser(), np.linspace(0, 1, 5))
EACH = ss.evolve(laser(), [0.0, 1.0], each=True, initial=np.zeros((6, 3)))
HOLDS = "Argument `run` must be a result of evolve that holds {} over time, but {}."

CASES = [
    (lambda: ss.show(3), HOLDS.format("order_parameter", "is run=3")),
    (lambda: ss.show(ss.limit_cycle(laser())), HOLDS.format("order_parameter", "is one of limit_cycle")),
    (lambda: ss.show(RUN.isel(time=0)), HOLDS.format("order_parameter", "holds none")),
    (lambda: ss.show(RUN.drop_vars("coherence")), HOLDS.format("coherence", "holds none")),
    (
        lambda: ss.show(RUN.expand_dims(realization=2)),
        "Argument `run` must hold one run over time, but has dims ('realization', 'time').",
    ),
    (lambda: ss.show(RUN.drop_attrs()), "Argument `run` must be a result of spinsync, but is a Dataset without a model."),
    (lambda: ss.show(RUN, colour="red"), "Argument `colour` must be one of group, phase, but is colour='red'."),
    (lambda: ss.show(RUN, trails=1), "Argument `trails` must be True or False, but is trails=1."),
    (lambda: ss.show(RUN, height=40), "Argument `height` must be a whole number from 160 to 2000, but is height=40."),
    (lambda: ss.show(RUN).update(3), HOLDS.format("order_parameter", "is run=3")),
]


@pytest.mark.parametrize(("call", "message"), CASES, ids=case_names(__file__, "CASES"))
def test_error_message(call, message):
    check_message(call, message)


def test_a_run_too_large_for_a_browser_is_refused_and_a_smaller_one_suggested(monkeypatch):
    monkeypatch.setattr(packing, "LARGEST", 10)
    ss.show(RUN)
    with pytest.raises(ss.InputError) as caught:
        ss.show(EACH)
    assert str(caught.value) == (
        "Argument `run` must hold at most 10 Bloch vectors to be shown, but holds 2 times x 6 spins: "
        "thin it out, as in run.isel(time=slice(None, None, 2))."
    )
    ss.show(EACH.isel(time=slice(None, None, 2)))
