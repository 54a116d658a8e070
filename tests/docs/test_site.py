"""The documentation site: built without a network, every link in it leads somewhere, and it asks no other host."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()
# What a browser fetches by itself, and what only a click does.
LOADED = {"src", "srcset", "poster", "data", "action", "formaction", "background"}
FETCHED_BY_LINK = {
    "stylesheet",
    "icon",
    "preload",
    "prefetch",
    "modulepreload",
    "preconnect",
    "dns-prefetch",
    "manifest",
}
PAGES = ("first-pair", "concepts", "evidence", "limits", "faq", "configuration", "operations", "decisions/", "lab")
# Runs a module where whoever connects, or asks for an address, fails.
WITHOUT_NETWORK = """
import runpy, sys
def refuse(event, _):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise OSError(f"{event}: there is no network here")
sys.addaudithook(refuse)
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@dataclass
class Page(HTMLParser):
    """One page: where links can lead, what it links to, and what it loads."""

    path: Path
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {key: value or "" for key, value in attrs}
        self.anchors |= {named[key] for key in ("id", "name") if key in named}
        self.loads += [named[key] for key in LOADED & named.keys()]
        self.loads += in_css(named.get("style", ""))
        if tag == "meta" and named.get("http-equiv", "").lower() == "refresh":
            self.loads.append(named["content"].partition("url=")[2])
        if tag == "link" and FETCHED_BY_LINK & set(named.get("rel", "").split()):
            self.loads.append(named["href"])
        elif "href" in named:
            self.links.append(named["href"])


def in_css(text: str) -> list[str]:
    """What a style sheet loads."""
    found = re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", text)
    return [first or second for first, second in found]


def is_elsewhere(address: str) -> bool:
    """Whether it is not of the site; data is."""
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def build(source: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Do what `make docs` does, into another folder and without a network."""
    (recipe,) = re.findall(r"^\t@\$\(RUN\) -m (sphinx .*)$", MAKEFILE, re.MULTILINE)
    places = {"build/site": str(site), "build/doctrees": str(site.with_name("doctrees"))}
    arguments = [places.get(word, word) for word in shlex.split(recipe)]
    command = [sys.executable, "-c", WITHOUT_NETWORK, *arguments]
    return subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def broken(pages: dict[Path, Page]) -> Iterator[str]:
    """Every link, image and file of a page that is not there, and every anchor."""
    for page in pages.values():
        for address in [*page.links, *page.loads]:
            parts = urlsplit(address)
            if is_elsewhere(address) or parts.scheme == "data":
                continue
            path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            anchor = unquote(parts.fragment)
            if not path.is_file():
                yield f"{page.path.name}: {address}"
            elif anchor and path in pages and anchor not in pages[path].anchors:
                yield f"{page.path.name}: {address} (no such anchor)"


def test_every_page_of_the_navigation_is_there(site: Path, pages: dict[Path, Page]) -> None:
    start = pages[site / "docs" / "index.html"]
    for name in PAGES:
        assert [link for link in start.links if link.startswith(name)], name
    assert {"../CHANGELOG.html", "../CONTRIBUTING.html", "../SECURITY.html", "../bootstrap/README.html"} <= {
        *start.links
    }


def test_the_address_of_the_site_leads_to_the_start_page(site: Path, pages: dict[Path, Page]) -> None:
    assert pages[site / "index.html"].loads == ["docs/index.html"]


def test_every_link_anchor_and_image_of_the_site_leads_somewhere(pages: dict[Path, Page]) -> None:
    assert len(pages) > 25
    assert sum("#" in link and not is_elsewhere(link) for page in pages.values() for link in page.links) > 100
    assert not list(broken(pages))


def test_no_page_loads_anything_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    loads = {(page.path.name, address) for page in pages.values() for address in page.loads}
    loads |= {(path.name, address) for path in site.rglob("*.css") for address in in_css(path.read_text())}
    assert len(loads) > 100
    assert not [one for one in loads if is_elsewhere(one[1])]


def test_links_to_other_hosts_are_encrypted(pages: dict[Path, Page]) -> None:
    elsewhere = {link for page in pages.values() for link in page.links if is_elsewhere(link)}
    assert len(elsewhere) > 10
    assert all(link.startswith("https://") for link in elsewhere)


def test_the_checks_see_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<h1 id="here">x</h1><a href="#here"></a><a href="#away"></a><a href="none.html"></a><img src="none.png">'
        '<a href="https://learn.microsoft.com"></a><script src="//cdn.example/x.js"></script>'
        '<link rel="stylesheet" href="https://fonts.example/css"><p style="background: url(https://images.example/x)">'
    )
    found = {path: Page(path) for path in tmp_path.glob("*.html")}
    (page,) = found.values()
    assert [one.split(": ")[1] for one in broken(found)] == ["#away (no such anchor)", "none.html", "none.png"]
    assert [one for one in page.loads if is_elsewhere(one)] == [
        "//cdn.example/x.js",
        "https://fonts.example/css",
        "https://images.example/x",
    ]
    sheet = "@import 'https://a.example/x.css'; b { src: url(\"https://b.example/x\") }"
    assert in_css(sheet) == ["https://a.example/x.css", "https://b.example/x"]


@pytest.mark.parametrize("wrong", ["[x](none.md)", "[x](first-pair.md#none)", "{unknown-role}`x`"])
def test_the_build_stops_at_what_is_wrong(tmp_path: Path, wrong: str) -> None:
    source = tmp_path / "source"
    (source / "docs" / "site").mkdir(parents=True)
    for name in ("conf.py", "site/custom.css", "site/index.html"):
        (source / "docs" / name).write_bytes((ROOT / "docs" / name).read_bytes())
    navigation = re.sub(
        r"(?s)^NAVIGATION = .*?^\}",
        'NAVIGATION = {"x": ["docs/index", "docs/first-pair"]}',
        (source / "docs" / "conf.py").read_text(),
        flags=re.MULTILINE,
    )
    (source / "docs" / "conf.py").write_text(navigation)
    (source / "docs" / "first-pair.md").write_text("# x\n")
    (source / "docs" / "index.md").write_text("# x\n")
    assert build(source, tmp_path / "right").returncode == 0
    (source / "docs" / "index.md").write_text(f"# x\n\n{wrong}\n")
    assert build(source, tmp_path / "wrong").returncode != 0
