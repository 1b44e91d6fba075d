"""What tests of the story share: its steps, what they say, and the ensembles behind them."""

import re
from math import pi

import numpy as np

import spinsync as ss
from spinsync.interfaces.explorer import story
from spinsync.interfaces.explorer.controls import starts

SCENES = {scene.key: scene for scene in story.SCENES}
TAG = re.compile(r"<[^>]+>")


def begin(key, **changes):
    """The values with which a step opens."""
    return starts(SCENES[key].controls, **changes)


def said(key, values):
    """What the server sends of a step: the sentence of the present, and the answers."""
    parts = {}
    for step in story.VIEWS[key].steps(values, {}):
        for part, traits in step.compute().items():
            parts.setdefault(part, {}).update(traits)
    return parts


def number_after(text, mark, begin=0):
    """The first number after a mark, as a reader sees it."""
    plain = TAG.sub("", text[begin:]).replace("−", "-").replace("\N{NO-BREAK SPACE}", " ")
    return float(re.search(re.escape(mark) + r"\D*?(-?\d+(?:\.\d+)?)", plain).group(1))


def on_the_ball(seed, spins=40):
    """Random places on the sphere, (spin, 3)."""
    m = np.random.default_rng(seed).normal(size=(spins, 3))
    return m / np.linalg.norm(m, axis=1, keepdims=True)


def played(model, times, seed, spins=40):
    return ss.evolve(model, times, initial=on_the_ball(seed, spins), each=True)


def crowd(**changes):
    """The ensemble of steps 4 and 5, built from the sliders by hand."""
    v = begin("story-4", **changes)
    gain = v["r"] / (1 + v["r"])
    return ss.Ensemble.single(gain=gain, damping=1 - gain, coupling=v["V"], theta=pi * v["theta"], frequency=story.OWN)
