"""Equations of motion of very many moments."""
