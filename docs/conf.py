"""Documentation of spinsync: Sphinx, MyST notebooks executed at build, nothing from the network."""

import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

import spinsync

project = "spinsync"
author = "The spinsync developers"
copyright = f"2026, {author}"
version = release = spinsync.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx-mathjax-offline"]
exclude_patterns = ["_build", "**/.ipynb_checkpoints"]

myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_ipywidgets_js = {}  # these would come from the network


def make_warnings_errors():
    """Pages run in processes of their own, where IPython reads this file before the first cell."""
    home = Path(tempfile.mkdtemp(prefix="spinsync-docs-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    startup = home / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "warnings_are_errors.py").write_text(
        "import warnings\n\nwarnings.simplefilter('error')\n"
        "warnings.filterwarnings('ignore', module='.*(ipykernel|matplotlib_inline)')  # which show the page\n"
    )
    os.environ["IPYTHONDIR"] = str(home)


make_warnings_errors()

default_role = "py:obj"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"spinsync {version}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["spinsync.css"]


def plain_text_to_rst(app, what, name, obj, options, lines):
    """Docstrings are plain text: escape |s| and K_-, and link equation numbers; one that does not exist breaks the build."""
    doctest = False
    for i, line in enumerate(lines):
        doctest = bool(line.strip()) and (doctest or line.lstrip().startswith(">>>"))
        if not doctest:
            escaped = re.sub(r"(\||_(?=\W|$))", r"\\\1", line)
            lines[i] = re.sub(r"\(([1-9]\d?\.\d{1,2})\)", r":ref:`(\1) <eq-\1>`", escaped)


def setup(app):
    app.connect("autodoc-process-docstring", plain_text_to_rst)
