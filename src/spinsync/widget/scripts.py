"""The text of the sphere's JavaScript as ES modules, for pages that bring their own motion; light, without anywidget."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
SPHERE = ("run", "pixels", "sphere")  # files of the module, in this order
EXPORTS = ("Sphere", "THEMES", "clamp", "themeOf")


def sphere_module() -> str:
    """An ES module that exports the Bloch sphere that draws a run, its themes, and what a page needs around it."""
    return "".join(_read(file) for file in SPHERE) + f"\nexport {{ {', '.join(EXPORTS)} }};\n"


def model_module() -> str:
    """An ES module that exports `LocalModel`, the state of a widget on a page, and `decoded`, which reads its JSON."""
    return _read("model")


def _read(file: str) -> str:
    return (HERE / f"{file}.js").read_text(encoding="utf-8")
