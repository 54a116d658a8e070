"""Stacks between emulated tenants: the real SDK and provider processes, and the engine of the run."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lab import engines, world
from lab.engine import Diagnostic, Engine, Event, Options, Result
from lab.entra import Entra, Exchange, Server, Tenant
from lab.pulumi.engine import PulumiEngine
from lab.pulumi.installation import Installation

ROOT = Path(__file__).resolve().parents[2]


ALL_PERMISSIONS = tuple({*world.SOURCE_PERMISSIONS, *world.TARGET_PERMISSIONS})


@dataclass
class Stack:
    """One stack of the program in the lab, and everything that was said about it."""

    lab: Lab
    name: str
    config: dict[str, Any]
    environment: dict[str, str]
    program: Path = ROOT

    def run(self, operation: str, *, fails: bool = False, **options: Any) -> Result:
        """Run an operation; it must end as expected. Resources to replace are named without the component."""
        options["replace"] = tuple(f"pair-{name}" for name in options.get("replace", ()))
        events: list[Event] = []
        engine = self.engine
        engine.listen(events.append)
        result: Result = getattr(engine, operation)(Options(**options))
        self.lab.texts += [event.message for event in events if isinstance(event, Diagnostic)]
        self.lab.texts.append(json.dumps(result.outputs))
        failed = result.exit_code not in (0, 7)
        assert failed == fails, "\n".join(messages(result)) or f"{operation} did not fail"
        return result

    @property
    def engine(self) -> Engine | PulumiEngine:
        """What deploys this stack, as it is configured now."""
        return engines.engine(
            self.lab.installation,
            self.program,
            self.name,
            self.lab.folder / "state",
            environment=self.environment,
            config_file=ROOT / "Pulumi.dev.yaml",
            config={"xtsync:metadataHost": self.lab.server.host, **self.config},
        )

    def state(self) -> str:
        """The state file as it is on disk."""
        (path,) = (self.lab.folder / "state").glob(f"**/xtsync/{self.name}.json")
        return path.read_text()

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state, secrets encrypted."""
        found: list[dict[str, Any]] = self.engine.export()["deployment"]["resources"]
        return found

    def keep_only(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Take resources out of the state, as `pulumi state delete` does."""

        def change(resources: list[dict[str, Any]]) -> None:
            resources[:] = [resource for resource in resources if wanted(resource)]
            urns = {resource["urn"] for resource in resources}
            for resource in resources:
                resource["dependencies"] = [urn for urn in resource.get("dependencies") or () if urn in urns]
                if "replaceWith" in resource:
                    resource["replaceWith"] = [urn for urn in resource["replaceWith"] or () if urn in urns]
                resource["propertyDependencies"] = {
                    name: [urn for urn in many or () if urn in urns]
                    for name, many in (resource.get("propertyDependencies") or {}).items()
                }

        self.rewrite(change)

    def rewrite(self, change: Callable[[list[dict[str, Any]]], None]) -> None:
        """Change the state's resources, as `pulumi stack export`, an editor and `pulumi stack import` do."""
        document = self.engine.export()
        change(document["deployment"]["resources"])
        self.engine.import_state(document)


class Lab:
    """The tenants and the stacks between them."""

    def __init__(self, server: Server, entra: Entra, folder: Path, installation: Installation | None) -> None:
        self.server, self.entra, self.folder, self.installation = server, entra, folder, installation
        self.texts: list[str] = []
        self.calls_of_up: list[Exchange] = []
        self.stack = self.new_stack("dev")

    def new_stack(self, name: str, **config: Any) -> Stack:
        """A stack with Pulumi.dev.yaml's configuration, changed by keyword (without namespace)."""
        environment = {
            **os.environ,
            **self.server.environment(),
            "XTSYNC_SOURCE_CLIENT_SECRET": world.SOURCE_SECRET,
            "XTSYNC_TARGET_CLIENT_SECRET": world.TARGET_SECRET,
        }
        return Stack(self, name, {f"xtsync:{key}": value for key, value in config.items()}, environment)

    def reverse_stack(self, name: str = "back") -> Stack:
        """The opposite pair, Fabrikam -> Contoso, with the same sign-in applications."""
        source = {
            "tenantId": world.TARGET_TENANT,
            "name": "Fabrikam",
            "clientId": world.TARGET_CLIENT,
            "auth": "secret",
        }
        target = {"tenantId": world.SOURCE_TENANT, "name": "Contoso", "clientId": world.SOURCE_CLIENT, "auth": "secret"}
        stack = self.new_stack(name, source=source, target=target, users=["frank@fabrikam.com"], groups=[])
        stack.environment["XTSYNC_SOURCE_CLIENT_SECRET"] = world.TARGET_SECRET
        stack.environment["XTSYNC_TARGET_CLIENT_SECRET"] = world.SOURCE_SECRET
        for tenant, client in ((self.source, world.SOURCE_CLIENT), (self.target, world.TARGET_CLIENT)):
            registered = tenant.login.clients[client]
            tenant.login.clients[client] = type(registered)(
                client, registered.object_id, registered.secret, frozenset(ALL_PERMISSIONS)
            )
        return stack

    @property
    def source(self) -> Tenant:
        return self.entra.tenants[world.SOURCE_TENANT]

    @property
    def target(self) -> Tenant:
        return self.entra.tenants[world.TARGET_TENANT]

    @property
    def source_partner(self) -> dict[str, Any] | None:
        """The partner policy for the target in the source, as its settings."""
        return self._partner(self.source, world.TARGET_TENANT)

    @property
    def target_partner(self) -> dict[str, Any] | None:
        return self._partner(self.target, world.SOURCE_TENANT)

    @staticmethod
    def _partner(tenant: Tenant, partner: str) -> dict[str, Any] | None:
        found = tenant.policies.partners.get(partner)
        return None if found is None else found.members

    def jobs(self, tenant: Tenant | None = None) -> list[Any]:
        principals = (tenant or self.source).applications.principals.values()
        return [job for principal in principals for job in principal.synchronization.jobs.values()]

    def arrived(self) -> set[str | None]:
        """Mail addresses of the source's people in the target; None stands for whoever has none."""
        return {user.mail for user in self.target.directory.users.values() if user.origin is not None}

    def pass_time(self, minutes: float = 41) -> None:
        self.entra.pass_time(minutes=minutes)

    def settings(self) -> Mapping[str, Any]:
        """Everything but people and what was deleted."""
        return {
            tenant: {area: value for area, value in areas.items() if area not in ("users", "groups")}
            for tenant, areas in self.entra.snapshot(deleted=False).items()
        }

    def calls_since(self, number: int) -> list[Exchange]:
        """Calls to Graph from an index of the traffic on."""
        return [call for call in self.entra.traffic[number:] if call.version]


def short(name: str) -> str:
    """A resource's name, or the end of its URN, without the component's."""
    return name.rsplit("::", 1)[-1].removeprefix("pair-")


def messages(result: Result) -> list[str]:
    """Errors and warnings."""
    return [f"{short(d.urn)}: {d.message}" for d in result.diagnostics if d.severity != "info"]


def told(result: Result, name: str) -> str:
    """What was said under a resource."""
    return "\n".join(d.message for d in result.diagnostics if short(d.urn) == name)


def changed(result: Result) -> dict[str, str]:
    """What an operation did, by resource name; nothing about what stayed.

    Pulumi notes a provider of its own, `default`, where the program has asked for the state, and forgets it again.
    """
    done = (step for step in result.steps if step.op not in ("same", "refresh") and step.name != "default")
    return {short(step.name): step.op for step in done}


def ours(calls: list[Exchange]) -> list[Exchange]:
    return [call for call in calls if call.client.startswith("xtsync")]


def writes(calls: list[Exchange]) -> list[Exchange]:
    """Calls that change something; those in a batch by themselves, without what they came in."""
    return [call for call in calls if call.method != "GET" and not call.path.endswith("/$batch")]


CANARIES = (world.SOURCE_SECRET, world.TARGET_SECRET)


TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.")


def leaks(places: Mapping[str, str]) -> list[str]:
    """Places where a client secret or a token can be read."""
    return [
        f"{canary} in {place}"
        for place, text in places.items()
        for canary in (*(c for c in CANARIES if c in text), *(["a token"] if TOKEN.search(text) else []))
    ]


@dataclass(frozen=True)
class Said:
    """What an `xtsync` command said."""

    exit_code: int
    out: str
    errors: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def is_a_time(value: object) -> bool:
    """A time by RFC 3339, in UTC."""
    return not isinstance(value, str) or (value.endswith("Z") and datetime.fromisoformat(value).tzinfo is not None)


TIMES = jsonschema.FormatChecker([])
TIMES.checks("date-time", ValueError)(is_a_time)


@functools.cache
def published(name: str) -> jsonschema.Draft202012Validator:
    """What is published of a document, without any member besides."""
    schema = json.loads((ROOT / "docs" / "outputs.schema.json").read_text())
    for one in schema["$defs"].values():
        if "properties" in one:
            one["additionalProperties"] = False
    whole = {**schema, "$ref": f"#/$defs/{name}"}
    jsonschema.Draft202012Validator.check_schema(whole)
    return jsonschema.Draft202012Validator(whole, format_checker=TIMES)


@dataclass
class Command:
    """`xtsync` on the lab's stack, in this process, as typed in a terminal of 120 columns.

    Attributes:
        lab: whose stack.
        monkeypatch: of the test.
        asks_pulumi: whether it asks the command `pulumi` for the outputs; else they are given in a file.
    """

    lab: Lab
    monkeypatch: pytest.MonkeyPatch
    asks_pulumi: bool = False

    def __call__(self, *arguments: str, answer: str = "") -> Said:
        from typer.testing import CliRunner

        from xtsync_resources.operate import screen
        from xtsync_resources.operate.cli import app

        for name, value in {**self.lab.stack.environment, "COLUMNS": "120"}.items():
            self.monkeypatch.setenv(name, value)
        self.monkeypatch.setattr(screen, "at_a_terminal", lambda: bool(answer))
        folder = self.lab.folder
        (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": self.config()}))
        options = ["--cwd", str(folder)]
        if not self.asks_pulumi:
            outputs = folder / "outputs.json"
            if not outputs.exists():
                outputs.write_text("{}")
            options += ["--outputs", str(outputs)]
        result = CliRunner().invoke(app, [*options, *arguments], input=answer, catch_exceptions=False)
        # What is typed is shown by the terminal, and not by the command.
        out = result.stdout.removeprefix(f" {answer}") if answer else result.stdout
        self.lab.texts += [out, result.stderr]
        if "--json" in arguments and out:
            document = json.loads(out)
            failed = isinstance(document, dict) and [*document] == ["error"]
            assert result.exit_code < 2 or failed or arguments[0] in ("doctor", "report")
            published("error" if failed else arguments[0]).validate(document)
        return Said(result.exit_code, out, result.stderr)

    def config(self) -> dict[str, Any]:
        given: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
        return {**given, "xtsync:metadataHost": self.lab.server.host, **self.lab.stack.config}

    def up(self) -> None:
        """Run `up` and keep its outputs where the commands find them."""
        outputs = self.lab.stack.run("up").outputs
        (self.lab.folder / "outputs.json").write_text(json.dumps(outputs))
