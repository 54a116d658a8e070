"""Every advice that the product's code gives, by how it begins: read from the source, so that none is forgotten."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import xtsync_resources

PACKAGE = Path(xtsync_resources.__file__).parent
# What carries advice: the third argument of an error and of a finding, and what is called so.
NAMES = {"do", "remedy", "advice", "then", "first"}
CALLS = {
    **dict.fromkeys(("problem", "warning", "RefusedError", "ConfigurationError", "NotWellError", "SignInError"), 2),
    **dict.fromkeys(("add", "Problem", "CallError"), 3),
    "Finding": 4,
}
VERBS = frozenset(
    re.findall(
        r"\w+",
        """
        add allow ask assign bring buy change check choose close convert correct end export find give grant
        install keep leave let look make mend move name open put read remove restart restore run say see set
        sign start stop take trust turn unset use wait write
        """,
    )
)
CONDITION = re.compile(r"(if|where|unless|once) .*?[,:] ")


@dataclass(frozen=True)
class Advice:
    """How an advice begins, and where it stands."""

    text: str
    where: str


def all_advice() -> list[Advice]:
    """All of it; what is handed on from elsewhere is found there."""
    return [advice for path in sorted(PACKAGE.rglob("*.py")) for advice in of_file(path)]


def of_file(path: Path) -> Iterator[Advice]:
    """The advice of one file."""
    tree = ast.parse(path.read_text())
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = (
                    zip(target.elts, node.value.elts, strict=True)
                    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                    else [(target, node.value)]
                )
                for name, value in pairs:
                    if isinstance(name, ast.Name):
                        assigned.setdefault(name.id, []).append(value)
    found: list[ast.expr] = [value for name in NAMES for value in assigned.get(name, ())]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += of_call(node)
    for value in found:
        for text in beginnings(value, assigned, frozenset()):
            yield Advice(text, f"{path.relative_to(PACKAGE)}:{value.lineno}")


def of_call(node: ast.Call) -> list[ast.expr]:
    """The arguments of a call that are advice."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    place = CALLS.get(name)
    found = [node.args[place]] if place is not None and len(node.args) > place else []
    return [*found, *(one.value for one in node.keywords if one.arg in NAMES)]


def beginnings(value: ast.expr, assigned: dict[str, list[ast.expr]], seen: frozenset[str]) -> Iterator[str]:
    """How a text may begin; nothing of what comes from elsewhere."""
    match value:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            yield text
        case ast.JoinedStr(values=[ast.FormattedValue(value=inner), *_]) | ast.BinOp(left=inner):
            yield from beginnings(inner, assigned, seen)
        case ast.IfExp(body=body, orelse=other):
            yield from beginnings(body, assigned, seen)
            yield from beginnings(other, assigned, seen)
        case ast.BoolOp(values=values):
            for one in values:
                yield from beginnings(one, assigned, seen)
        case ast.Name(id=name) if name not in seen:
            for one in assigned.get(name, ()):
                yield from beginnings(one, assigned, seen | {name})


def is_action(text: str) -> bool:
    """Whether an advice begins with a verb that says what to do, or with when to do it and such a verb."""
    said = CONDITION.sub("", text, count=1)
    return said.split(" ", 1)[0].strip(",.;:") in VERBS
