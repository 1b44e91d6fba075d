"""The sphere's JavaScript as modules: light to import, with the names that pages use."""

import subprocess
import sys

from spinsync.widget.scripts import model_module, sphere_module


def test_the_modules_export_what_pages_import():
    assert sphere_module().rstrip().endswith("export { Sphere, THEMES, clamp, themeOf };")
    for name in ("class Sphere", "const THEMES", "const clamp", "function themeOf"):
        assert sphere_module().count(name) == 1
    assert "export class LocalModel" in model_module()


def test_no_notebook_and_no_science_is_imported():
    code = "import spinsync.widget.scripts, sys; print({'anywidget', 'numpy', 'xarray'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "set()"
