"""The bootstrap program, run without an engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PROGRAM = ROOT / "bootstrap" / "__main__.py"


RUN = """
import asyncio, json, runpy, sys
import pulumi
class Mocks(pulumi.runtime.Mocks):
    def __init__(self): self.made = []
    def new_resource(self, args):
        self.made.append({"type": args.typ, "name": args.name, "provider": args.provider, "inputs": args.inputs})
        return args.name + "-id", {
            **args.inputs, "clientId": "0e9d6a72-4c5b-4f81-a3d7-8b26f1c5e044", "objectId": "object", "value": "canary"
        }
    def call(self, args):
        self.made.append({"type": args.token, "name": "", "provider": args.provider, "inputs": args.args})
        return {**args.args, "objectId": "graph"}
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
mocks, outputs = Mocks(), {}
pulumi.runtime.set_mocks(mocks, project="xtsync-bootstrap", stack="test")
def export(name, value):
    async def keep():
        value_ = pulumi.Output.from_input(value)
        outputs[name] = {"value": await value_.future(), "secret": await value_.is_secret()}
    outputs[name] = asyncio.ensure_future(keep())
pulumi.export = export
pulumi.log.info = lambda text: print(text, file=sys.stderr)
async def run():
    await pulumi.runtime.stack.run_pulumi_func(lambda: runpy.run_path(sys.argv[1], run_name="__main__"))
    for waiting in list(outputs.values()):
        if asyncio.isfuture(waiting):
            await waiting
try:
    loop.run_until_complete(run())
except pulumi.RunError as error:
    sys.exit(f"refused: {error}")
print(json.dumps({"made": mocks.made, "outputs": outputs}))
"""


def run(
    program: str = RUN, encrypted: Sequence[str] = (), more: Mapping[str, str] | None = None, **config: str
) -> subprocess.CompletedProcess[str]:
    given = {f"xtsync-bootstrap:{key}": value for key, value in config.items()}
    environment = {
        **os.environ,
        "PULUMI_CONFIG": json.dumps(given),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps([f"xtsync-bootstrap:{key}" for key in encrypted]),
        **(more or {}),
    }
    command = [sys.executable, "-c", program, str(PROGRAM)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
