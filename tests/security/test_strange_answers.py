"""Whatever one answer of Graph holds: every `xtsync` command and every provider method ends in a result or our error.

A run without strangeness shows which calls are made and what is in their answers. In each further run something in the
answers to one of these calls is replaced by what nobody expects there.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from lab import world
from tests.in_memory_graph import Call, Change, InMemory
from tests.unit.graph_fakes import SOURCE, TARGET, SettableClock
from xtsync_resources import state
from xtsync_resources.graph import connect
from xtsync_resources.graph.errors import DeadlineError, XtsyncError
from xtsync_resources.graph.sign_in import SignIn
from xtsync_resources.pulumi_runtime import provider as runtime
from xtsync_resources.pulumi_runtime.engine import Partial
from xtsync_resources.pulumi_runtime.provider import ProviderSettings

ROOT = Path(__file__).resolve().parents[2]
# So many of all the possible replacements are tried in a run of the tests; another number here tries more.
TRIED = int(os.environ.get("XTSYNC_TESTS_STRANGE", "15"))


# --- strangeness -----------------------------------------------------------------------------------------------

DATES = ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "P9999999999999D")
TEXTS = ("", "x", "[[[", "\u202e\x1b[31m", "../..", "y" * 5000)
OTHERS: tuple[Any, ...] = (None, True, -1, 5, 1.5, 2**62, [], [5], [None], [[]], {}, {"a": []}, {"targets": [5]})
STRANGE: tuple[Any, ...] = (*DATES, *TEXTS, *OTHERS)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Everything in a document that can be replaced, from the whole on; of a list its first item."""
    yield path
    for key, part in (
        value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    ):
        yield from places(part, (*path, key))


def replacing(path: tuple[Any, ...], new: Any) -> Change:
    """Put something else in a place, or take what is there away (`...`)."""

    def change(document: Any) -> Any:
        if not path:
            return {} if new is ... else new
        found = document
        try:
            for key in path[:-1]:
                found = found[key]
            if new is ...:
                del found[path[-1]]
            else:
                found[path[-1]] = new
        except (KeyError, IndexError, TypeError):  # another answer to the same call has no such place
            pass
        return document

    return change


def strangenesses(seen: dict[Call, Any]) -> list[tuple[Call, Change, str]]:
    """What is replaced in which answers: a choice that is the same each time."""
    every = [
        (call, replacing(place, new), f"{call} {place} = {new!r:.60}")
        for call, document in sorted(seen.items())
        for place in places(document)
        for new in (*STRANGE, ...)
    ]
    return random.Random(0).sample(every, min(TRIED, len(every)))


# --- commands ----------------------------------------------------------------------------------------------------

COMMANDS: dict[str, list[str]] = {
    "doctor": ["doctor"],
    "doctor as JSON": ["doctor", "--json"],
    "status": ["status"],
    "status as JSON": ["status", "--json"],
    "status, waiting": ["status", "--wait", "first-cycle"],
    "pause": ["pause", "--yes"],
    "resume": ["resume", "--yes"],
    "restart": ["restart", "--yes"],
    "restart, full": ["restart", "--yes", "--full"],
    "logs": ["logs", "--details"],
    "logs of one": ["logs", "alice@contoso.com", "--json"],
    "provision": ["provision", "alice@contoso.com"],
    "report": ["report", "--output", "-"],
    "report as Markdown": ["report", "--output", "-", "--format", "markdown"],
    "export": [
        "export", "--source", world.SOURCE_TENANT, "--target", world.TARGET_TENANT, "--auth", "secret",
        "--source-client-id", world.SOURCE_CLIENT, "--target-client-id", world.TARGET_CLIENT,
        "--metadata-host", "localhost",
    ],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    config["config"]["xtsync:metadataHost"] = "localhost"
    (tmp_path / "Pulumi.dev.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("COLUMNS", "120")
    for side in ("SOURCE", "TARGET"):
        monkeypatch.setenv(f"XTSYNC_{side}_CLIENT_SECRET", "x")
    return tmp_path


def run(command: list[str], folder: Path, graph: InMemory, monkeypatch: pytest.MonkeyPatch) -> Any:
    from xtsync_resources.operate.cli import app

    (folder / "outputs.json").write_text(json.dumps(graph.pair()))
    monkeypatch.setattr(connect, "HttpsTransport", lambda: graph)
    monkeypatch.setattr(connect, "credential_for", lambda sign_in, *_: graph.credential(sign_in.tenant.id))
    monkeypatch.setattr(connect, "SystemClock", SettableClock)
    options = ["--cwd", str(folder), "--outputs", str(folder / "outputs.json")]
    stack = [] if command[0] == "export" else ["--stack", "dev"]
    return CliRunner().invoke(app, [*options, *command, *stack])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_ends_in_words(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = InMemory()
    told = run(COMMANDS[name], folder, plain, monkeypatch)
    assert told.exit_code in (0, 1), told.output
    assert plain.seen
    for call, change, words in strangenesses(plain.seen):
        told = run(COMMANDS[name], folder, InMemory(strange={call: change}), monkeypatch)
        assert isinstance(told.exception, SystemExit | None), f"{words}: {told.exception!r}"
        assert told.exit_code in (0, 1, 2), words
        assert told.exit_code == 2 or "error: " not in told.stderr, f"{words}: {told.stderr}"
        # doctor goes on where one thing cannot be found out, and says which.
        said = "error: " in told.stderr or "could not be checked" in told.stdout
        assert told.exit_code != 2 or said, f"{words}: {told.output}"
        assert "Traceback" not in told.output, words


# --- provider methods --------------------------------------------------------------------------------------------

Methods = Callable[[Any, InMemory], Iterator[Any]]


class Bench:
    """The providers of one tenant in a process of its own."""

    def __init__(self, graph: InMemory, side: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tenant = SOURCE if side == "source" else TARGET
        monkeypatch.setattr(runtime, "_CLIENT", {"client": graph.client(self.tenant)})

    def made(self, name: str) -> Any:
        provider = type(getattr(state, name))()
        provider.settings = ProviderSettings(SignIn(self.tenant, "cli"), "p", 900.0, "adopt", "release")
        return provider


def life(provider: Any, props: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """All methods of a provider in the order of a resource's life; gives the outputs before the end."""
    provider.check({}, props)
    made = provider.create(props)
    outputs: dict[str, Any] = made.outs
    read = provider.read(made.id, outputs)
    if read.id:
        news = {**{key: outputs[key] for key in props}, **change}
        provider.check(outputs, news)
        provider.diff(made.id, outputs, news)
        outputs = provider.update(made.id, outputs, news).outs
    provider.delete(made.id, outputs)
    return outputs


def policies(side: str) -> Methods:
    def lives(bench: Bench, graph: InMemory) -> Iterator[Any]:
        partner = world.TARGET_TENANT if side == "source" else world.SOURCE_TENANT
        flag = "outboundAllowed" if side == "source" else "inboundAllowed"
        home = {"homeTenantId": bench.tenant.id, "tenantId": partner}
        for had_one in (False, True):
            graph.entra.tenants[bench.tenant.id].policies.partners.pop(partner, None)
            if had_one:
                body = {"tenantId": partner, "inboundTrust": {"isMfaAccepted": True}}
                graph.ask(bench.tenant.id, "POST", "/policies/crossTenantAccessPolicy/partners", body)
            planned = json.dumps({"automaticUserConsentSettings": {flag: True}})
            baseline = bench.made("PartnerBaseline").create({**home, "planned": planned}).outs
            fields = {"automaticUserConsentSettings": {flag: True}, "inboundTrust": {"isMfaAccepted": False}}
            yield life(
                bench.made("PartnerPolicy"),
                {**home, **fields, "baseline": baseline["baseline"]},
                {"inboundTrust": {"isMfaAccepted": True}},
            )
            if side == "target":
                graph.entra.tenants[bench.tenant.id].policies.partners.pop(partner, None)
                body = {"tenantId": partner, "automaticUserConsentSettings": {flag: True}}
                graph.ask(bench.tenant.id, "POST", "/policies/crossTenantAccessPolicy/partners", body)
                sync = {"displayName": "d", "userSyncInbound": {"isSyncAllowed": True}}
                yield life(
                    bench.made("IdentitySyncPolicy"),
                    {**home, **sync, "baseline": baseline["baseline"]},
                    {"displayName": "e"},
                )
            yield life(bench.made("PartnerBaseline"), {**home, "planned": planned}, {"groups": True})

    return lives


def job(bench: Bench, graph: InMemory) -> Iterator[Any]:
    """Everything on the job's side, for a configuration that was there before."""
    outputs = graph.pair()
    home = {"homeTenantId": bench.tenant.id}
    principal = {**home, "servicePrincipalId": outputs["servicePrincipalId"]}
    (configured,) = graph.entra.tenants[world.SOURCE_TENANT].applications.applications
    application = {**principal, "applicationId": configured}
    role = {"appRoleId": life(bench.made("ServicePrincipal"), application, {})["appRoleId"]}
    of_job = {**principal, "jobId": outputs["jobId"]}
    settings: dict[str, Any] = {
        "CompanyId": world.TARGET_TENANT,
        "AuthenticationType": "SyncPolicy",
        "SyncAll": "false",
    }
    settings["SyncNotificationSettings"] = {"Enabled": False, "DeleteThresholdEnabled": True, "DeleteThresholdValue": 5}
    template = {
        "templateId": "Azure2Azure",
        "targetTenantId": world.TARGET_TENANT,
        "onDemand": False,
        "madeByHand": False,
        "remembered": "",
    }
    found = life(bench.made("SyncJob"), {**principal, **role, **template}, {})
    yield life(
        bench.made("SyncSecrets"),
        {**principal, "settings": settings, "found": found["foundSettings"]},
        {"settings": {**settings, "SyncAll": "true"}},
    )
    schema = bench.made("SchemaBaseline").create(of_job).outs
    mappings = [{"target": "department", "source": "department"}, {"target": "companyName", "expression": 'Trim("x")'}]
    filters = [{"name": "g", "clauses": [{"attribute": "city", "operator": "ENDS_WITH", "value": "x"}]}]
    parts = {"attributeMappings": mappings, "scopingFilters": filters, "flowTypes": ["Add"]}
    yield life(
        bench.made("SyncSchema"),
        {**of_job, **parts, "baseline": schema["baseline"], "rested": ""},
        {"attributeMappings": mappings[:1]},
    )
    somebody = graph.entra.tenants[world.SOURCE_TENANT].directory.user("alice@contoso.com").id
    users = {"alice@contoso.com": somebody}
    running = {
        **of_job,
        **role,
        "running": True,
        "principals": [somebody],
        "assignments": "a",
        "rested": "",
        "unfinished": "",
    }
    yield life(bench.made("JobStart"), running, {"running": False})
    yield life(
        bench.made("ProvisionOnDemand"),
        {**of_job, "users": users, "scope": {"users": [], "groups": []}},
        {},
    )
    scope = {
        **of_job,
        **role,
        "principals": users,
        "neverRemove": [],
        "foundState": "Active",
        "foundPeople": [],
        "targetTenantId": world.TARGET_TENANT,
        "foreignAssignments": "report",
        "foreign": {},
        "adopted": {},
        "adopts": False,
    }
    record = {**scope, "principals": [somebody], "since": {}, "generation": 0, "foundCycle": ""}
    for on_destroy in ("release", "drain"):
        yield life(bench.made("SyncScope"), {**scope, "onDestroy": on_destroy}, {"principals": {}})
    with contextlib.suppress(DeadlineError):  # their people are still there
        yield life(bench.made("ScopeRecord"), {**record, "onDestroy": "drain"}, {})


LIVES: dict[str, tuple[str, Methods]] = {
    "policies of the source": ("source", policies("source")),
    "policies of the target": ("target", policies("target")),
    "job": ("source", job),
}


def lived(name: str, graph: InMemory, monkeypatch: pytest.MonkeyPatch) -> Exception | None:
    """Live a whole life; gives what ended it early, if that was ours."""
    side, lives = LIVES[name]
    monkeypatch.setattr("time.sleep", lambda _: None)
    bench = Bench(graph, side, monkeypatch)
    try:
        for _ in lives(bench, graph):
            pass
    except (XtsyncError, Partial) as error:
        return error
    return None


@pytest.mark.parametrize("name", LIVES)
def test_a_provider_ends_in_words(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = InMemory()
    ended = lived(name, plain, monkeypatch)
    assert ended is None, str(ended)
    assert plain.seen
    for call, change, words in strangenesses(plain.seen):
        try:
            ended = lived(name, InMemory(strange={call: change}), monkeypatch)
        except Exception as error:
            raise AssertionError(f"{words}: {error!r}") from error
        assert ended is None or len(str(ended)) < 10_000, words
