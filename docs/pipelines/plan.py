"""Ask Pulumi what would change, or what has drifted, and describe it for a pull request or an issue.

    plan.py preview STACK FOLDER     what `pulumi up` would do
    plan.py drift STACK FOLDER       what somebody changed in the tenants

Writes FOLDER/STACK.json for `publish.py` and other programs, FOLDER/STACK.md for people, and shows that in the log and
in the summary of the run. Names and messages come from tenants: they pass the project's gate and are dead text in
Markdown.

Exit code: Pulumi's own. 0 is no problem; 7 is drift, or a resource that is not well, as a job in quarantine, which
Pulumi only warns of; everything else is a failure, which is described as well.

STACK.json has `stack`, `kind`, `exitCode`, `markdown`, and `changes`: a list with `change`, `tenantId`, `type`,
`resource` (Pulumi's name), `id` and, where single properties differ, `property`, `old` and `new`. `id` is how Graph
knows the object: of a policy the partner's tenant id, of what azuread makes its path, "" for what is yet to be made.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from xtsync_resources.operate.files import write_private
from xtsync_resources.operate.report.markdown import escaped, quoted, table
from xtsync_resources.pulumi_runtime.provider import HOME
from xtsync_resources.untrusted import gated, json_text

COMMANDS = {
    "preview": ("preview",),
    "drift": ("refresh", "--preview-only", "--expect-no-changes"),
}
DRIFT = 7
WORDS = {"preview": ("would change", "nothing would change"), "drift": ("drifted", "no drift")}
OPERATIONS = {
    "preview": {"create": "create", "update": "update", "delete": "delete"},
    "drift": {"create": "found", "update": "changed", "delete": "gone"},
}
CELLS = ("change", "resource", "property", "old", "new")
UNCHANGED = ("same", "refresh", "read")
# A comment on GitHub holds 65,536 characters, and there may be several stacks in one.
MOST_ROWS, MOST_MESSAGES, MOST_TEXT = 60, 40, 2000
STACK_NAME = re.compile(r"[A-Za-z0-9_.-]+")
# A part of a property's path: a quoted key, an index or a name.
PART = re.compile(r'\["(.*?)"\]|\[(\d+)\]|([^.\[]+)')


def main(arguments: list[str]) -> int:
    """Run Pulumi and write what it found; the exit code."""
    parser = argparse.ArgumentParser(description="Describe what would change, or what has drifted.")
    parser.add_argument("kind", choices=sorted(COMMANDS))
    parser.add_argument("stack", type=stack_name)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args(arguments)
    code, digest = ask(given.kind, given.stack)
    if given.kind == "drift" and code == 0 and digest and warnings_of_resources(digest):
        code = DRIFT
    text = describe(given.kind, given.stack, code, digest)
    given.folder.mkdir(parents=True, exist_ok=True)
    changes = changes_of(given.kind, digest or {})
    document = {"stack": given.stack, "kind": given.kind, "exitCode": code, "markdown": text, "changes": changes}
    page = given.folder / f"{given.stack}.md"
    write_private(page, text, replace=True)
    write_private(page.with_name(f"{given.stack}.json"), json_text(document), replace=True)
    gated(sys.stdout).write(text)
    summarize(page)
    return code


def stack_name(text: str) -> str:
    """A stack's name, which becomes that of a file.

    Raises:
        ValueError: it is none.
    """
    if not STACK_NAME.fullmatch(text):
        raise ValueError
    return text


def ask(kind: str, stack: str) -> tuple[int, Mapping[str, Any] | None]:
    """Pulumi's exit code, and its answer where it gave one; what it says beside that stays in the log."""
    command = ["pulumi", *COMMANDS[kind], "--json", "--non-interactive", "--stack", stack]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - no shell
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = None
    # Without an answer nothing is known, whatever the exit code says.
    return (done.returncode, answer) if isinstance(answer, dict) else (done.returncode or 1, None)


def warnings_of_resources(digest: Mapping[str, Any]) -> bool:
    """Whether something is said against a resource: a refresh warns of those that are not well."""
    return any(one["severity"] != "info" and one.get("urn") for one in digest.get("diagnostics") or ())


def summarize(page: Path) -> None:
    """Show the description beside the run, where the runner has a place for it."""
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as file:
            file.write(page.read_text())
    if os.environ.get("TF_BUILD"):  # Azure DevOps
        print(f"##vso[task.uploadsummary]{page.resolve()}")


# --- the description ---------------------------------------------------------------------------------------


def describe(kind: str, stack: str, code: int, digest: Mapping[str, Any] | None) -> str:
    """What Pulumi found, as Markdown."""
    if digest is None:
        return f"### {escaped(stack)}: failed\n\nPulumi gave no answer. The log of the run says why.\n"
    found = changes_of(kind, digest)
    many, (changed, unchanged) = len({one["resource"] for one in found}), WORDS[kind]
    verdict = f"{many} {changed}" if found else unchanged
    if code == DRIFT and warnings_of_resources(digest):
        verdict += ", not well"
    if code not in (0, DRIFT):
        verdict = "failed"
    parts = [f"### {escaped(stack)}: {verdict}", *messages(digest.get("diagnostics") or ())]
    if found:
        rows = [[one.get(cell, "") for cell in CELLS] for one in found[:MOST_ROWS]]
        parts.append(table(CELLS, rows))
        if len(found) > MOST_ROWS:
            parts.append(f"{len(found) - MOST_ROWS} more rows are not shown: run the command yourself to see them.")
    return "\n\n".join(parts) + "\n"


def messages(diagnostics: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What was said: errors first, then who comes into scope and who leaves it, then the rest."""
    told = sorted(
        (one for one in diagnostics if one["message"].strip()),
        key=lambda one: (one["severity"] != "error", "SyncScope" not in one.get("urn", "")),
    )
    for one in told[:MOST_MESSAGES]:
        about = f"**{escaped(name_of(one['urn']))}**\n" if one.get("urn") else ""
        yield about + quoted(shortened(one["message"].strip()))
    if len(told) > MOST_MESSAGES:
        yield f"{len(told) - MOST_MESSAGES} more messages are not shown: run the command yourself to see them."


def changes_of(kind: str, digest: Mapping[str, Any]) -> list[dict[str, str]]:
    """What differs: an entry for each property, or one for the whole resource."""
    found, tenants = [], tenants_of_providers(digest)
    for step in digest.get("steps") or ():
        if step["op"] in UNCHANGED:
            continue
        before, after = (step.get(state) or {} for state in ("oldState", "newState"))
        old, new = (state.get("inputs") or {} for state in (before, after))
        provider = urn_of(after.get("provider") or before.get("provider") or "")
        one = {
            "change": OPERATIONS[kind].get(step["op"], step["op"]),
            "tenantId": new.get(HOME) or old.get(HOME) or tenants.get(provider, ""),
            "type": step["urn"].split("::")[2].rsplit("$", 1)[-1],
            "resource": name_of(step["urn"]),
            "id": before.get("id") or "",
        }
        paths = sorted(step.get("detailedDiff") or {}) if step["op"] == "update" else []
        found += [{**one, "property": path, "old": shown(old, path), "new": shown(new, path)} for path in paths] or [
            one
        ]
    return found


def tenants_of_providers(digest: Mapping[str, Any]) -> dict[str, str]:
    """The tenant of each of azuread's providers, by URN: what azuread makes does not say where it is."""
    found = {}
    for step in digest.get("steps") or ():
        for state in (step.get("oldState") or {}, step.get("newState") or {}):
            if tenant := (state.get("inputs") or {}).get("tenantId") if "pulumi:providers:" in step["urn"] else "":
                found[step["urn"]] = tenant
    return found


def urn_of(reference: str) -> str:
    """The URN in a reference to a provider, which has the provider's id behind."""
    return reference.rpartition("::")[0]


def shown(properties: Any, path: str) -> str:
    """The value at a path, for people; what is secret Pulumi has masked."""
    value = properties
    for key, index, name in PART.findall(path):
        if index:
            value = value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
        else:
            value = value.get(key or name) if isinstance(value, dict) else None
    return shortened("" if value is None else value if isinstance(value, str) else json.dumps(value))


def name_of(urn: str) -> str:
    """The name of a resource."""
    return urn.rsplit("::", 1)[-1]


def shortened(text: str) -> str:
    """A text that fits."""
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} ... ({len(text)} characters)"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
