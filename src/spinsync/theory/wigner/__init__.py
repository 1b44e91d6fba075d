"""Truncated Wigner approximation: samples of classical spins with quantum noise."""
