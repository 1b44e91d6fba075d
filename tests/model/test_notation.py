"""The translations of docs/theory.md, section 7, from the symbols of papers to a coupling C, against operators written here."""

import numpy as np
import pytest

import spinsync as ss

LOWER = np.array([[0, 1], [0, 0]], complex)  # |g><e|


def on(operator, spin, spins):
    """An operator of one spin."""
    out = np.eye(1)
    for other in range(spins):
        out = np.kron(out, operator if other == spin else np.eye(2))
    return out


def lowering(spins):
    return [on(LOWER, spin, spins) for spin in range(spins)]


def dissipator(jump, rho):
    loss = jump.conj().T @ jump
    return jump @ rho @ jump.conj().T - (loss @ rho + rho @ loss) / 2


def state(spins, seed=0):
    """A random density matrix."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(2**spins, 2**spins)) + 1j * rng.normal(size=(2**spins, 2**spins))
    rho = root @ root.conj().T
    return rho / np.trace(rho)


def coupling_part(ensemble, spins, rho):
    """d rho/dt by the coupling, from the rates of `lindblad`."""
    rates, down = ss.lindblad(ensemble, spins), lowering(spins)
    exchange, decay = rates.exchange.values, rates.correlated_decay.values
    assert np.allclose(rates.correlated_pumping, 0, atol=1e-14 * abs(decay).max())
    out = np.zeros_like(rho)
    for i, j in np.ndindex(spins, spins):
        hop = down[i].conj().T @ down[j]
        if i != j:
            out += -1j * exchange[i, j] * (hop @ rho - rho @ hop)
        out += decay[i, j] * (down[j] @ rho @ down[i].conj().T - (hop @ rho + rho @ hop) / 2)
    return out


def test_the_cascaded_channel():
    """One jump operator for both lasers, and B hears A while A does not hear B."""
    rate_a, rate_b, spins = 0.7, 1.9, 4
    matrix = spins * np.array([[-0.5j * rate_a, 0], [-1j * np.sqrt(rate_a * rate_b), -0.5j * rate_b]])
    ensemble = ss.Ensemble([ss.Group(gain=1.0, damping=0.3), ss.Group(gain=0.4, damping=0.1)], matrix)
    down, rho = lowering(spins), state(spins)
    a, b = down[0] + down[1], down[2] + down[3]
    drive = -0.5j * np.sqrt(rate_a * rate_b) * (b.conj().T @ a - a.conj().T @ b)  # Hamiltonian of a cascade
    expected = dissipator(np.sqrt(rate_a) * a + np.sqrt(rate_b) * b, rho) - 1j * (drive @ rho - rho @ drive)
    np.testing.assert_allclose(coupling_part(ensemble, spins, rho), expected, atol=1e-13)
    alone = dissipator(np.sqrt(rate_a) * a, rho)
    of_a = lambda change: np.einsum("aibi->ab", change.reshape(4, 4, 4, 4))  # noqa: E731
    np.testing.assert_allclose(of_a(expected), of_a(alone), atol=1e-13)


@pytest.mark.parametrize("theta", [-2.3, -np.pi / 2, -0.4])
def test_collective_decay_exchange_and_twisting(theta):
    """Gamma_c = 2V|sin theta|/N of D[J_-], chi = V cos theta/N of J_+J_-, which is chi (J^2 - J_z^2 + J_z)."""
    strength, spins = 1.7, 3
    ensemble = ss.Ensemble.single(gain=0.2, damping=0.1, coupling=strength, theta=theta)
    collective_decay, chi = 2 * strength * abs(np.sin(theta)) / spins, strength * np.cos(theta) / spins
    down, rho = sum(lowering(spins)), state(spins)
    up = down.conj().T
    x, y, z = (up + down) / 2, (up - down) / 2j, (up @ down - down @ up) / 2
    for exchange in (up @ down - z, x @ x + y @ y + z @ z - z @ z):  # z: the terms i = j are no exchange
        expected = collective_decay * dissipator(down, rho) - 1j * chi * (exchange @ rho - rho @ exchange)
        np.testing.assert_allclose(coupling_part(ensemble, spins, rho), expected, atol=1e-13)


def test_cooperativity_and_synchronization():
    """N C = 2V/gamma on resonance; Z^2 = <sigma^+ sigma^-> of two spins tends to |s|^2 = R^2/4."""
    cooperativity, line, cavity, atoms = 0.3, 0.02, 5000.0, 900
    rabi = np.sqrt(cooperativity * line * cavity)  # 2g
    laser = ss.Ensemble.cavity(spins=atoms, vacuum_coupling=rabi / 2, cavity_decay=cavity, gain=1.0, damping=line)
    assert 2 * abs(laser.coupling_matrix[0, 0]) / line == pytest.approx(atoms * cooperativity, rel=1e-12)
    decay = ss.lindblad(laser.replace(spins=4), 4).correlated_decay[0, 1].real
    assert float(decay) == pytest.approx(cooperativity * line, rel=1e-12)
    pair = ss.steady_state(laser, theory=ss.Exact(atoms)).correlation[0, 0].real
    assert np.sqrt(float(pair)) == pytest.approx(float(ss.limit_cycle(laser).order_parameter) / 2, rel=0.02)
