"""The arrays that the browser draws: Bloch vectors, groups, mean field, order parameter, phases. All physics is here."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from spinsync.base.arrays import Array
from spinsync.base.checks import InputError
from spinsync.model import bloch_vectors
from spinsync.plot.appearance import COLOURS
from spinsync.plot.spheres import trajectories
from spinsync.plot.traces import require_variable
from spinsync.results.datasets import bloch, model_of, phases

LARGEST = 4_000_000  # Bloch vectors in one run: 48 MB in the browser's memory


def packed(run: xr.Dataset) -> dict[str, Any]:
    """The run as a dict of little-endian arrays (bytes) and other values.

    time: float64 (time); vectors: float32 (time, spin, 3), of single spins if the run has them, else of groups; owner:
    uint16 (spin), index of the group; mean: float32 (time, 3), mean Bloch vector; order: float32 (time); groupOrder: float32
    (time, group), 2|s|; phase: float32 (time, group), NaN if undefined; shades: uint8 (shade, 3), colours of the phases from
    -pi; single: whether the vectors are those of single spins; names, colours: of the groups.
    """
    for name in ("order_parameter", "coherence", "inversion"):
        require_variable(run, name, all_groups=True)
    trajectories(run)
    m = _vectors(run)
    names = run.group.values.tolist()
    single = "spin_group" in run.coords
    owner = [names.index(group) for group in run.spin_group.values.tolist()] if single else range(len(names))
    groups = bloch_vectors.vectors(run.coherence.values, run.inversion.values)
    return {
        "time": _bytes(run.time.values, "<f8"),
        "vectors": _bytes(m, "<f4"),
        "owner": _bytes(np.array(owner), "<u2"),
        "mean": _bytes(np.einsum("a,tax->tx", model_of(run).rates.weight, groups), "<f4"),
        "order": _bytes(run.order_parameter.values, "<f4"),
        "groupOrder": _bytes(2 * abs(run.coherence.values), "<f4"),
        "phase": _bytes(phases(run.coherence.values), "<f4"),
        "shades": _bytes(shades(), "u1"),
        "single": single,
        "names": names,
        "colours": [COLOURS[i % len(COLOURS)] for i in range(len(names))],
    }


def _bytes(values: Array, kind: str) -> bytes:
    return np.ascontiguousarray(values, dtype=kind).tobytes()


def _vectors(run: xr.Dataset) -> Array:
    """Bloch vectors (time, spin or group, 3); an InputError if there are too many."""
    shown = run.spin_coherence if "spin_coherence" in run else run.coherence
    times, spins = shown.shape
    if shown.size > LARGEST:
        raise InputError(
            f"Argument `run` must hold at most {LARGEST} Bloch vectors to be shown, but holds {times} times x {spins} spins: "
            f"thin it out, as in run.isel(time=slice(None, None, {-(-shown.size // LARGEST)}))."
        )
    return bloch(run).values


def shades(count: int = 128) -> Array:
    """Colours of phases from -pi to pi: hues of equal lightness for light and dark backgrounds, sRGB bytes (count, 3).

    Lightness 0.66 and chroma 0.11 in OKLab (B. Ottosson, "A perceptual color space for image processing", 2020).
    """
    hue = -np.pi + 2 * np.pi * (np.arange(count) + 0.5) / count
    lab = np.stack([np.full(count, 0.66), 0.11 * np.cos(hue), 0.11 * np.sin(hue)])
    cones = np.array([[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]])
    linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    ) @ ((cones @ lab) ** 3)
    linear = linear.clip(0, 1)
    return np.asarray(255 * np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)).round().T
