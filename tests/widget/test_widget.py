"""The data sent to the browser agree with the run, and are sent when they should be."""

import base64
import json
import re
import subprocess
import sys

import numpy as np
import pytest

import spinsync as ss
from spinsync.widget import notebooks, packing
from spinsync.widget.sphere import BlochSphere
from systems import laser

TIMES = np.linspace(0, 4, 41)
UNEQUAL = ss.Ensemble.pair(detuning=2.0, gain=(3.0, 4.0), damping=1.0, coupling=16.0, theta=-1.2, weights=(2, 3))
FEW = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=8.0, theta=-1.2)
RUNS = {
    "groups": lambda: ss.evolve(UNEQUAL, TIMES),
    "spins": lambda: ss.evolve(laser(theta=-1.2, frequency=ss.Samples([-1.0, 0.2, 0.7])), TIMES, each=True),
    "two groups of spins": lambda: ss.evolve(
        UNEQUAL, TIMES, each=True, initial=[[0.6, 0.1, 0.3], [-0.6, 0.5, 0], [0, 0, 0.9], [0, 0.8, 0]]
    ),
    "exact": lambda: ss.evolve(FEW, TIMES, theory=ss.Exact(4), initial=[[0.6, 0, 0.3], [0, 0.5, 0]]),
    "brute force": lambda: ss.evolve(FEW, TIMES, theory=ss.BruteForce(2), each=True, initial=[[0.6, 0, 0.3], [0, 0.5, 0]]),
}


@pytest.fixture(scope="module", params=RUNS)
def run(request):
    return RUNS[request.param]()


def read(run, name, kind, *shape):
    return np.frombuffer(packing.packed(run)[name], kind).reshape(*shape)


def test_the_vectors_are_those_of_the_run_in_single_precision(run):
    m = ss.bloch(run).values
    np.testing.assert_array_equal(read(run, "vectors", "<f4", *m.shape), m.astype(np.float32))
    np.testing.assert_array_equal(read(run, "time", "<f8", -1), run.time)
    owner = read(run, "owner", "<u2", -1)
    names = packing.packed(run)["names"]
    owners = run.spin_group if "spin_group" in run.coords else run.group
    assert [names[k] for k in owner] == owners.values.tolist()


def test_order_parameter_and_phases_are_those_of_the_run(run):
    np.testing.assert_array_equal(read(run, "order", "<f4", -1), run.order_parameter.values.astype(np.float32))
    phase, size = (read(run, name, "<f4", len(TIMES), -1) for name in ("phase", "groupOrder"))
    np.testing.assert_array_equal(np.isnan(phase), abs(run.coherence) <= 1e-8)  # below the error of a run
    rebuilt = size / 2 * np.exp(-1j * np.nan_to_num(phase.astype(float)))  # a phase is -arg s
    np.testing.assert_allclose(rebuilt, run.coherence, atol=1e-6)  # single precision of an angle up to pi


def test_the_mean_is_that_of_all_spins_and_its_length_the_order_parameter():
    for name in ("spins", "two groups of spins"):
        run = RUNS[name]()
        mean = read(run, "mean", "<f4", -1, 3)
        every = np.einsum("s,tsx->tx", run.spin_weight.values, ss.bloch(run).values)
        np.testing.assert_allclose(mean, every, atol=1e-6)
    for name in ("groups", "spins", "two groups of spins"):
        run = RUNS[name]()
        mean = read(run, "mean", "<f4", -1, 3)
        np.testing.assert_allclose(np.hypot(mean[:, 0], mean[:, 1]), run.order_parameter, atol=1e-6)


def test_a_group_without_coherence_has_no_phase():
    still = ss.evolve(laser(), TIMES, initial=[[0, 0, 0.5]])
    assert np.isnan(read(still, "phase", "<f4", -1)).all()


def test_colours_of_phases_have_contrast_on_light_and_dark_and_are_periodic():
    rgb = packing.shades()
    assert rgb.min() > 0  # within sRGB: no component is clipped
    assert rgb.max() < 255

    def luminance(colour):
        c = np.asarray(colour) / 255
        return np.where(c < 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    for background in ((255, 255, 255), (0x20, 0x26, 0x2D)):
        low, high = np.sort([luminance(rgb), np.broadcast_to(luminance(background), len(rgb))], axis=0)
        assert ((high + 0.05) / (low + 0.05)).min() > 2.5
    steps = np.linalg.norm(rgb - np.roll(rgb, 1, axis=0), axis=1)
    assert steps.max() < 3 * steps.mean()  # including the step from the last to the first


def test_an_update_is_one_message_and_keeps_the_widget(monkeypatch):
    run = RUNS["groups"]()
    sphere = ss.show(run)
    sphere.playing, sphere.frame, sphere.speed = False, 35.0, 2.0
    sent = []
    monkeypatch.setattr(sphere, "send_state", lambda key=None: sent.append(set(key)))
    sphere.update(ss.evolve(UNEQUAL.replace(coupling=6.0), TIMES))
    assert sent == [{"run"}]
    assert (sphere.frame, sphere.speed) == (35.0, 2.0)
    sphere.update(run.isel(time=slice(11)))
    assert sent[1:] == [{"run", "frame"}]
    assert sphere.frame == 10
    assert sphere.run == packing.packed(run.isel(time=slice(11)))


def test_show_sets_its_options_and_starts_playing():
    sphere = ss.show(RUNS["groups"](), height=300, colour="phase", trails=False)
    assert isinstance(sphere, BlochSphere)
    assert (sphere.height, sphere.colour, sphere.trails, sphere.playing, sphere.frame) == (300, "phase", False, True, 0)


def test_without_anywidget_there_is_a_message(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "spinsync.widget.sphere", raising=False)
    monkeypatch.delattr("spinsync.widget.sphere", raising=False)
    with pytest.raises(ImportError, match=r"^show needs the package anywidget: pip install anywidget\.$"):
        notebooks.show(None)


def test_the_widget_is_imported_at_first_use():
    code = "import sys, spinsync as ss; ss.show; print({'anywidget', 'matplotlib', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_page_exported_by_ipywidgets_contains_the_script_and_the_run(tmp_path):
    embed = pytest.importorskip("ipywidgets.embed", reason="needs ipywidgets: pip install ipywidgets")
    sphere, file = ss.show(ss.evolve(laser(), TIMES)), tmp_path / "run.html"
    embed.embed_minimal_html(file, views=[sphere], drop_defaults=False)
    page = file.read_text(encoding="utf-8")
    state = json.loads(
        re.search(r'<script type="application/vnd.jupyter.widget-state\+json">(.*?)</script>', page, re.DOTALL)[1]
    )
    own = state["state"][sphere.model_id]
    assert own["state"]["_esm"] == BlochSphere._esm
    buffers = {tuple(buffer["path"]): base64.b64decode(buffer["data"]) for buffer in own["buffers"]}
    assert buffers["run", "vectors"] == packing.packed(ss.evolve(laser(), TIMES))["vectors"]
