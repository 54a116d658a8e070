"""No module has a way to a screen, a file or the engine but through the gate for untrusted text."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WAYS_OUT = {
    "print": (),
    "open": ("graph/files.py",),  # which reads
    "typer.echo": (),
    "typer.secho": (),
    "typer.confirm": ("operate/screen.py",),
    "typer.prompt": ("operate/screen.py",),
    "sys.stdout": (
        "operate/screen.py",
        "operate/cli.py",
        "untrusted.py",
        "pulumi_runtime/engine.py",
        "pulumi_runtime/provider.py",
        "sync_schema/matching.py",
        "graph/unlocking.py",
    ),
    "sys.stderr": ("operate/screen.py", "operate/cli.py", "untrusted.py", "pulumi_runtime/provider.py"),
    "rich": ("operate/screen.py",),
    "pulumi.log": ("pulumi_runtime/messages.py",),
    "pulumi.RunError": ("pulumi_runtime/messages.py",),
    "report_violation": ("policy/__main__.py",),
    ".Log": ("pulumi_runtime/engine.py",),
    ".abort": (),
    ".set_trailing_metadata": ("pulumi_runtime/engine.py",),
    ".basicConfig": ("graph/wire_log.py",),
    ".StreamHandler": (),
    ".fdopen": ("operate/files.py", "graph/files.py"),  # the latter reads
    ".write": (
        "graph/audit.py",  # a line of JSON, in which nothing is more than text
        "operate/files.py",
        "operate/screen.py",
        "untrusted.py",
        "pulumi_runtime/engine.py",
        "sync_schema/matching.py",
    ),
    ".write_bytes": (),
    ".write_text": ("config/published.py",),  # of what the project itself declares
}
MODULES = ("policy", "bootstrap", ".")
SOURCES = [*(ROOT / "xtsync_resources").rglob("*.py"), *(ROOT / name / "__main__.py" for name in MODULES)]


def ways_out(source: str) -> set[str]:
    """The ways out a module takes: what it imports, names with their module, calls by name and of any object."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found |= {str(node.module).partition(".")[0], *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Attribute):
            found |= {f"{node.value.id}.{node.attr}"} if isinstance(node.value, ast.Name) else set()
        elif isinstance(node, ast.Call):
            found |= {f".{node.func.attr}"} if isinstance(node.func, ast.Attribute) else set()
            found |= {node.func.id} if isinstance(node.func, ast.Name) else set()
    return found & set(WAYS_OUT)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_writes_past_the_gate(path: Path) -> None:
    name = str(path.relative_to(ROOT)).removeprefix("xtsync_resources/")
    assert {way for way in ways_out(path.read_text()) if name not in WAYS_OUT[way]} == set()


def test_the_ways_out_are_seen() -> None:
    source = """
import rich.table
from pulumi import log
class A(pulumi.RunError): pass
print(1)
sys.stderr.write("x")
"""
    assert ways_out(source) == {"rich", "pulumi.log", "pulumi.RunError", "print", "sys.stderr", ".write"}
