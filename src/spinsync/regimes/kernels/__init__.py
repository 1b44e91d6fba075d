"""Kernels that move many trajectories side by side."""
