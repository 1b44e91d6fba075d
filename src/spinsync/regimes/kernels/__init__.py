"""Kernels that advance many trajectories in SIMD lanes."""
