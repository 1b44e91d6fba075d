"""What tests of the stage share: states that it shows, and what is done with it."""

import io

import numpy as np
from matplotlib.image import imread

import spinsync as ss

VALUES = {"V": 3.0, "theta": -0.38, "r": 3.0, "dephasing": 0.0, "spread": 0.0}
CYCLE = ss.limit_cycle(ss.Ensemble.single(gain=0.75, damping=0.25, coupling=3.0, theta=-0.38 * np.pi))
R, Z = float(CYCLE.order_parameter), float(CYCLE.inversion)
ONE = {"kind": "one", "values": VALUES, "spins": 200, "rings": [{"group": 0, "radius": R, "height": Z}], "order": R}
TWO = {"kind": "two", "values": {**VALUES, "V": 6.0, "detuning": 0.5, "alike": 1}, "spins": 200, "rings": [], "order": None}
FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def pixels(locator):
    return (255 * imread(io.BytesIO(locator.screenshot()))[..., :3]).round()


def paused(page):
    page.get_by_role("button", name="Pause").click()
    page.evaluate(FRAME)


def settle(page):
    """Let the ensemble reach its cycle at once."""
    page.evaluate("() => { for (let k = 0; k < 80; k++) stage.motion.advance(0.5); }")


def place(page, vector):
    """Where a Bloch vector is drawn, in CSS pixels of the sphere, and its depth."""
    return page.evaluate("(m) => stage.sphere.point(...m).map((v, k) => (k < 2 ? v / stage.sphere.ratio : v))", vector)


def phase(page):
    return page.evaluate("Math.atan2(stage.motion.mean1, stage.motion.mean0)")


def set_values(page, **values):
    page.evaluate("(values) => model.set('values', { ...model.get('values'), ...values })", values)
