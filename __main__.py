"""One stack is one pair: people of the source tenant appear in the target tenant."""

import os
import signal

# When another resource fails, the engine interrupts the program; 32 means "the error was shown already".
signal.signal(signal.SIGINT, lambda *_: os._exit(32))

import pulumi  # noqa: E402 - the handler comes first

from xtsync_resources import config, untrusted  # noqa: E402
from xtsync_resources.component import TenantPair  # noqa: E402
from xtsync_resources.pulumi_runtime.short_traces import short_traces  # noqa: E402

untrusted.gate_output()
with short_traces():
    pair = TenantPair("pair", config.load())
for name, value in pair.outputs.items():
    pulumi.export(name, value)
