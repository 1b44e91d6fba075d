"""Ordinary differential equations of a few smooth variables."""
