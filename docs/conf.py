"""How the pages become a site: `make docs`. What is read is the repository, so that links between its pages hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.addnodes import pending_xref

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]

project = "xtsync"
# No date, version or author: the same pages make the same site.
html_title = "xtsync"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False

extensions = ["myst_parser"]
# Headings get the anchors that they have where the repository is read.
myst_heading_anchors = 4
source_suffix = {".md": "markdown"}
root_doc = "docs/index"
include_patterns = ["docs/**.md", "bootstrap/README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
exclude_patterns = [".*", "build", "lab", "plans", "tests", "xtsync_resources"]

html_theme = "alabaster"
html_theme_options = {"page_width": "72rem", "sidebar_width": "15rem", "fixed_sidebar": True, "show_powered_by": False}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html"]}
html_static_path = ["site/custom.css"]
# The site's own address leads to the start page.
html_extra_path = ["site/index.html"]
html_use_index = False

# What stands in the margin, by heading. A page that is in none of them fails the build.
NAVIGATION = {
    "Begin": ["docs/index", "docs/first-pair", "docs/concepts", "docs/faq"],
    "Set up": [
        "docs/configuration",
        "docs/permissions",
        "bootstrap/README",
        "docs/guardrails",
        "docs/pipelines/README",
    ],
    "Run": ["docs/operations", "docs/runbooks", "docs/performance"],
    "Judge": ["docs/security", "docs/evidence", "docs/limits", "SECURITY"],
    "Change": ["docs/lab", "docs/architecture", "CONTRIBUTING", "CHANGELOG"],
    "Decisions": ["docs/decisions/*"],
}


def add_navigation(_app: Sphinx, name: str, source: list[str]) -> None:
    """Give the start page the navigation, which is for the site only."""
    for heading, pages in NAVIGATION.items() if name == root_doc else ():
        named = "\n".join("self" if page == root_doc else f"/{page}" for page in pages)
        source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n:caption: {heading}\n\n{named}\n```\n"


def name_without_link(app: Sphinx, page: nodes.document) -> None:
    """What lies in the repository and is no page is named, without a link: a site has no address for it."""
    folder = (ROOT / app.env.doc2path(app.env.current_document.docname)).parent
    for node in list(page.findall(pending_xref)):
        # Of Markdown files the target is the name of the page: the README is none.
        if (folder / node["reftarget"]).is_dir() or node["reftarget"] == "README":
            node.replace_self(nodes.inline("", "", *node.children))


def setup(app: Sphinx) -> None:
    """Take part in the build."""
    app.connect("source-read", add_navigation)
    app.connect("doctree-read", name_without_link)
