"""The state of one spin of the ensemble: Husimi function and phase distribution, synchronized and incoherent."""

from __future__ import annotations

from math import pi

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

import spinsync as ss
from spinsync.interfaces.paper.claims import Advance, Chapter, Claim
from spinsync.interfaces.paper.panels import BLUE, ORANGE, add_legend, add_letters, circle_key, key

ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)
STRENGTHS = {"incoherent": 2.0, "synchronized": 12.0}  # below and above the threshold at 4.29
COLOURS = {"incoherent": ORANGE, "synchronized": BLUE}
UNTIL = 40.0
AZIMUTH = np.linspace(-pi, pi, 121)
NODES = 60
COSINES, WEIGHTS = np.polynomial.legendre.leggauss(NODES)  # of the polar angle


def chapter(quick: bool, advance: Advance) -> Chapter:
    data = {}
    for name, strength in STRENGTHS.items():
        run = ss.evolve(ONE.replace(coupling=strength), [0.0, UNTIL]).isel(time=-1)
        data[f"husimi-{name}"] = ss.husimi(run, np.arccos(COSINES[::-1]), AZIMUTH)
        data[f"phase-distribution-{name}"] = ss.phase_distribution(run, AZIMUTH)
    advance(0.5)
    return Chapter(
        title="The quantum state of one spin",
        text="<p>Every spin of the synchronized ensemble is in the same mixed state, and quantum fluctuations blur its phase. "
        "The Husimi function <i>Q</i> of this state shows both: below the threshold it depends on the polar angle alone, as "
        "in the state that gain and damping make. Above, it has a maximum in one direction, which turns about the axis with "
        "the frequency Ω. Integrated over the polar angle it is the distribution of the phase, (8.3): flat without "
        "synchronization, and above its mean by |<i>s</i>|/4 at most, with |<i>s</i>| of (4.4).</p>",
        figures={"one-spin": _figure(data)},
        captions={
            "one-spin": "State of one spin at the end of runs with κ = 3γ, <i>θ</i> = −1.2. (a) Husimi function of the "
            f"incoherent state, <i>V</i> = {STRENGTHS['incoherent']:g}γ. (b) Husimi function of the synchronized state, "
            f"<i>V</i> = {STRENGTHS['synchronized']:g}γ; circle: direction of the Bloch vector. (c) Phase distribution of "
            "both. Circles: integral of the Husimi function over the polar angle. Lines: (8.3) with the amplitude of the "
            "closed form (4.4) and the phase of the run."
        },
        data=data,
        claims=tuple(_claims(data)),
    )


def over_polar_angle(husimi: xr.Dataset) -> np.ndarray:
    """Integral of Q over the polar angle, for each azimuth."""
    return np.asarray(WEIGHTS[::-1] @ husimi.husimi.isel(group=0).values)


def closed_form(name: str, phase: float) -> np.ndarray:
    """The phase distribution (8.3) over AZIMUTH, with the amplitude of (4.4)."""
    amplitude = float(ss.limit_cycle(ONE.replace(coupling=STRENGTHS[name])).amplitude)
    return 1 / (2 * pi) + amplitude / 4 * np.cos(AZIMUTH - phase)


def _phase(data: dict[str, xr.Dataset]) -> float:
    """The phase of the synchronized run: that of the first Fourier component of its phase distribution."""
    density = data["phase-distribution-synchronized"].phase_density.values[0, :-1]
    return float(np.angle(np.sum(density * np.exp(1j * AZIMUTH[:-1]))))


def _figure(data: dict[str, xr.Dataset]) -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(7.0, 3.0), layout="constrained", width_ratios=(1, 1, 1.1))
    top = max(float(data[f"husimi-{name}"].husimi.max()) for name in STRENGTHS)
    for ax, name in zip(axes, STRENGTHS, strict=False):
        image = _husimi(ax, data[f"husimi-{name}"], top)
        ax.set_title(name)
    figure.colorbar(image, ax=axes[:2], label=r"Husimi function  $Q$  (1/sr)", location="top", shrink=0.6, aspect=30)
    cycle = ss.limit_cycle(ONE)
    polar = np.arctan2(2 * float(cycle.amplitude), float(cycle.inversion))
    axes[1].plot(_phase(data), polar, "o", ms=4.5, mfc="white", mec="black", mew=0.9)
    for name, colour in COLOURS.items():
        every = slice(0, None, 6)
        axes[2].plot(
            AZIMUTH[every], over_polar_angle(data[f"husimi-{name}"])[every], "o", ms=3.6, mfc="white", mec=colour, mew=0.9
        )
        axes[2].plot(AZIMUTH, closed_form(name, _phase(data)), color=colour, lw=1.0, zorder=1)
    axes[2].set(xlabel=r"phase  $\phi$", ylabel=r"distribution  $P$  (1/rad)", ylim=(0, None))
    axes[2].set_xticks([-pi, 0, pi], ["−π", "0", "π"])
    add_letters(axes)
    kinds = [(circle_key(f"{name}: integral of $Q$", color=colour), key(f"{name}: closed form (8.3)", color=colour))
             for name, colour in COLOURS.items()]  # fmt: skip
    add_legend(figure, *kinds[0], *kinds[1], circle_key("Bloch vector", color="black", ms=4.5), columns=3)
    return figure


def _husimi(ax: Axes, husimi: xr.Dataset, top: float) -> QuadMesh:
    image = ax.pcolormesh(AZIMUTH, husimi.polar, husimi.husimi[0], cmap=ss.plot.COLOURMAP, vmin=0, vmax=top, rasterized=True,
                          shading="nearest")  # fmt: skip
    ax.set(xlabel=r"azimuth  $\phi$", ylabel=r"polar angle  $\vartheta$", ylim=(pi, 0))
    ax.set_xticks([-pi, 0, pi], ["−π", "0", "π"])
    ax.set_yticks([0, pi / 2, pi], ["0", "π/2", "π"])
    return image


def _claims(data: dict[str, xr.Dataset]) -> list[Claim]:
    claims = []
    quadrature = (
        f"Gauss-Legendre quadrature of the sine of the polar angle: |s|/4 times the error {NODES}^-3 of the square root"
    )
    for name in STRENGTHS:
        density = data[f"phase-distribution-{name}"].phase_density.values[0]
        integrated = over_polar_angle(data[f"husimi-{name}"])
        claims.append(Claim(f"{name}: largest difference of the integral of Q over the polar angle from the phase distribution",
                            0, float(abs(integrated - density).max()), 0.05 * NODES**-3, quadrature))  # fmt: skip
    amplitude = float(ss.limit_cycle(ONE).amplitude)
    flat = float(abs(data["phase-distribution-incoherent"].phase_density - 1 / (2 * pi)).max())
    density = data["phase-distribution-synchronized"].phase_density.values[0]
    height = abs(np.sum((density[:-1] - 1 / (2 * pi)) * np.exp(1j * AZIMUTH[:-1]))) * 2 / (AZIMUTH.size - 1)
    steps = "error of the time steps: 100 rtol"
    return [
        *claims,
        Claim("incoherent: largest deviation of the phase distribution from 1/(2 pi)", 0, flat, 1e-9, "100 atol"),
        Claim("synchronized: height of the phase distribution above 1/(2 pi), by (8.3)", amplitude / 4, float(height), 1e-6,
              steps),
        Claim("synchronized: largest deviation of the phase distribution from (8.3)", 0,
              float(abs(density - closed_form("synchronized", _phase(data))).max()), 1e-6, steps),
    ]  # fmt: skip
