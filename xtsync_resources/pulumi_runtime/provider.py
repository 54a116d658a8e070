"""What every dynamic provider shares: settings, the client, partial failure, messages under the resource.

Runs in the provider process of one tenant. Facts this rests on: docs/architecture.md, "How Pulumi runs us".
"""

from __future__ import annotations

import functools
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

from .. import namespace, records
from ..graph.errors import ConfigurationError, RefusedError, XtsyncError
from ..graph.isolation import drop_foreign
from ..graph.wire_log import log_calls
from ..untrusted import gate_output, one_line, value
from .engine import Partial, about_this_call, attach_message, attach_partial, checked_id, report, warn_of_another_sdk
from .engine_watch import end_with
from .forgotten import FORGET, forgets
from .half_made import UNSEEN
from .provider_settings import ProviderSettings

if TYPE_CHECKING:
    from ..graph.call import Call
    from ..graph.client import GraphClient
    from ..graph.operation import Operation

Properties = dict[str, Any]
HOME = "homeTenantId"
# The input by which the program says that this is a preview; no state keeps it.
PREVIEW = "preview"
DEADLINE_MINUTES = "XTSYNC_DEADLINE_MINUTES"
Method = TypeVar("Method", bound=Callable[..., Any])


def another_pair(was: str, side: str, now: str) -> RefusedError:
    """The refusal to act on a stack whose configuration names another tenant than its objects are in."""
    return RefusedError(
        f"This stack's {side} tenant is {was}, but its configuration names {now}",
        "a stack is one pair for life: its objects in the former tenants would stay as they are",
        f"set xtsync:{side}.tenantId back to {was} and run `pulumi destroy`, or make a new stack for the new pair",
    )


def lifecycle_method(method: Method) -> Method:
    """Make a lifecycle method report partial failures, and let nothing out that may not be shown."""

    @functools.wraps(method)
    def run(self: TenantResourceProvider, *arguments: Any) -> Any:
        try:
            with plain_errors():
                for argument in arguments:
                    self.refuse_another_tenant(argument)
                return showable(method(self, *(from_engine(a) for a in arguments)))
        except Partial as partial:
            attach_partial(partial)
            raise

    return cast(Method, run)


def unless_forgotten(delete: Method) -> Method:
    """Make a deletion do nothing in a tenant that is gone, where whoever runs the command says so."""

    @functools.wraps(delete)
    def run(self: TenantResourceProvider, id_: str, props: Properties) -> None:
        word = os.environ.get(FORGET)
        if word and forgets(self, word, props):
            return
        delete(self, id_, props)

    return cast(Method, run)


def of_every_run(check: Method) -> Method:
    """Make a check keep none of the inputs that are for one run only.

    Where the end of a change was not seen, what was there before is what was kept then: the engine has the new inputs.
    """

    @functools.wraps(check)
    def run(self: TenantResourceProvider, olds: Properties, news: Properties) -> CheckResult:
        kept = records.parse(news.get(UNSEEN) or "{}") if olds else {}
        given = {key: item for key, item in news.items() if key != UNSEEN}
        result: CheckResult = check(self, from_engine(kept) or olds, given)
        dropped = (PREVIEW, *self.for_this_run)
        result.inputs = {key: value for key, value in result.inputs.items() if key not in dropped}
        return result

    return cast(Method, run)


def seen_again(read: Method) -> Method:
    """Make a read forget that the end of a change was not seen: it sees what is there."""

    @functools.wraps(read)
    def run(self: TenantResourceProvider, id_: str, props: Properties) -> ReadResult:
        return read(self, id_, {key: item for key, item in props.items() if key != UNSEEN})  # type: ignore[no-any-return]

    return cast(Method, run)


# What a lifecycle method of every provider is wrapped in besides.
ALSO: Mapping[str, Callable[[Any], Any]] = {"check": of_every_run, "read": seen_again, "delete": unless_forgotten}


@contextmanager
def plain_errors() -> Iterator[None]:
    """Let errors leave without their history, and without what may not be shown."""
    try:
        yield
    except XtsyncError as error:
        attach_message(str(error))
        raise error.with_traceback(None) from None
    except Exception as error:
        text = str(error)
        if isinstance(error, Partial) or one_line(text) == text:
            raise error from None
        found = RuntimeError(one_line(f"{type(error).__name__}: {text}"))
        raise found.with_traceback(error.__traceback__) from None


def showable(result: Any) -> Any:
    """What a lifecycle method gives back: the engine keeps it, and shows it in every diff."""
    for name in ("outs", "inputs"):
        if getattr(result, name, None) is not None:
            setattr(result, name, value(getattr(result, name)))
    checked_id(getattr(result, "id", None) or "")
    return result


class TenantResourceProvider(ResourceProvider):
    """Base of the dynamic providers. Subclasses hold no state; the process has one client for them all."""

    replace_keys: ClassVar[tuple[str, ...]] = ()
    # Inputs by which the program tells `check` of one run; they are not kept (`of_every_run`), and so are no change.
    for_this_run: ClassVar[tuple[str, ...]] = ()
    settings: ProviderSettings

    def __init_subclass__(cls, **options: Any) -> None:
        """Wrap the lifecycle methods of a subclass so that they fail in words."""
        super().__init_subclass__(**options)
        for name in ("check", "diff", "create", "read", "update", "delete"):
            if name in cls.__dict__:
                method = cls.__dict__[name]
                setattr(cls, name, lifecycle_method(ALSO[name](method) if name in ALSO else method))

    def configure(self, req: ConfigureRequest) -> None:
        """Take the provider's properties; nothing is called before the first operation needs it."""
        end_with(sys.argv[1] if len(sys.argv) > 1 else "")
        namespace.use(os.environ.get("PULUMI_PROJECT"))
        gate_output()
        if not log_calls(sys.stderr, os.environ):
            sys.tracebacklimit = 0
        warn_of_another_sdk()
        with plain_errors():
            self.settings = ProviderSettings.read(req.config.get)
        drop_foreign(self.settings.tenant.side, os.environ)
        self._secret: str = req.config.get("xtsync:clientSecret") or ""

    @lifecycle_method
    @of_every_run
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Accept the inputs as they are; the program has checked its configuration."""
        return CheckResult(news, [])

    @lifecycle_method
    def diff(self, _id: str, olds: Properties, news: Properties) -> DiffResult:
        """Leave the comparison to the engine, which then shows it key by key; only say what replaces."""
        replaces = [key for key in self.replace_keys if key in olds and olds.get(key) != news.get(key)]
        return DiffResult(changes=True if replaces else None, replaces=replaces, delete_before_replace=True)

    def refuse_another_tenant(self, properties: Any) -> None:
        """Refuse to touch an object of another tenant than this process's, as after a changed tenant id.

        Raises:
            RefusedError: the resource lives elsewhere.
        """
        tenant = self.settings.tenant
        home = properties.get(HOME, tenant.id) if isinstance(properties, dict) else tenant.id
        if not is_unknown(home) and home != tenant.id:
            raise another_pair(str(home), tenant.side, tenant.id)

    def liveness_call(self, properties: Mapping[str, Any]) -> Call:
        """A call that a tenant answers which lets us in; for what may be forgotten with its tenant."""
        raise NotImplementedError(f"{type(self).__name__} has nothing in a tenant that may be gone")

    def describe_remains(self, _properties: Mapping[str, Any]) -> str:
        """What stays in a tenant where the resource is forgotten; "" for a mere record."""
        return ""

    def leaves(self, what: str) -> bool:
        """Whether something stays at the end because another configuration of the pair may need it; says so."""
        if self.settings.allow_second:
            report(
                f"{what} stays as it is, as xtsync:allowSecondConfiguration is true: another configuration may need it"
            )
        return self.settings.allow_second

    def operation(self) -> Operation:
        """Begin an operation in this process's tenant, bounded by xtsync:deadlineMinutes, or as the environment says.

        `destroy` and `refresh` do not read the stack file: what it says counts for them from the next `up` on.
        """
        seconds = asked_seconds(os.environ) or self.settings.deadline_seconds
        return self.client().operation(seconds, lambda text: report(text, status=True))

    def client(self) -> GraphClient:
        """The client of this process, made when first needed."""
        with _CLIENT_LOCK:
            if "client" not in _CLIENT:
                _CLIENT["client"] = make_client(self.settings, self._secret)
            return _CLIENT["client"]


def asked_seconds(environment: Mapping[str, str]) -> float | None:
    """How long an operation may wait, as the environment says; None where it does not.

    Raises:
        ConfigurationError: it says something else than minutes.
    """
    minutes = environment.get(DEADLINE_MINUTES, "").strip()
    if not minutes:
        return None
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", minutes) or not float(minutes):
        raise ConfigurationError(f"Cannot use {DEADLINE_MINUTES}={minutes}", "it is no number of minutes", "say 60")
    return 60 * float(minutes)


_CLIENT: dict[str, GraphClient] = {}
_CLIENT_LOCK = threading.Lock()


def make_client(settings: ProviderSettings, secret: str) -> GraphClient:
    """A client for the tenant of these settings. Imports here: a no-op needs neither HTTP nor sign-in."""
    from ..graph.connect import connect  # noqa: PLC0415
    from ..graph.sign_in import Secrets  # noqa: PLC0415

    secrets = Secrets.of(settings.tenant.side, secret)
    return connect(settings.sign_in, secrets, status=lambda text: report(text, status=True), about=about_this_call)


def from_engine(value: Any) -> Any:
    """What the engine hands over, with whole numbers as int and names in their order.

    Every number comes as a float, and the members of an object in an order that is another in every run: what is
    sent to Graph and said to people must not follow it.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: from_engine(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [from_engine(item) for item in value]
    return value


def is_unknown(value: Any) -> bool:
    """Whether a value is not known before the update runs."""
    return isinstance(value, Unknown)


def is_preview(properties: Mapping[str, Any]) -> bool:
    """Whether `check` is asked by a preview."""
    return bool(properties.get(PREVIEW))


def inputs_of(properties: Mapping[str, Any], keys: Sequence[str]) -> Properties:
    """The input keys among a resource's properties."""
    return {key: properties[key] for key in keys if key in properties}


__all__ = [
    "HOME",
    "CheckResult",
    "CreateResult",
    "DiffResult",
    "Properties",
    "ProviderSettings",
    "ReadResult",
    "TenantResourceProvider",
    "UpdateResult",
    "another_pair",
    "inputs_of",
    "is_preview",
    "is_unknown",
]
