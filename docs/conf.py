"""How Sphinx builds these pages: offline, from Markdown and from the code itself."""

from __future__ import annotations

import sys
from pathlib import Path

from redpoll import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))


project = "Redpoll"
copyright = "Redpoll developers, BSD-3-Clause"
version = release = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "redpoll_reference",
    "offline_math",
    "notebook_pages",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
smartquotes = False
html_theme = "furo"
html_title = "Redpoll"
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
