"""The policy pack as a process, the way Pulumi runs it: its port on standard output, then gRPC."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "policy"
UNKNOWN_TEXT, UNKNOWN_OBJECT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"
ENFORCEMENT = {
    "advisory": analyzer_pb2.ADVISORY,
    "mandatory": analyzer_pb2.MANDATORY,
    "disabled": analyzer_pb2.DISABLED,
}
Resource = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Violation:
    policy: str
    mandatory: bool
    message: str


def urn(index: int, type_: str) -> str:
    return f"urn:pulumi:dev::xtsync::{type_}::r{index}"


def struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(dict(properties), struct_pb2.Struct())


@dataclass
class Analyzer:
    """What the engine asks of a policy pack."""

    stub: analyzer_pb2_grpc.AnalyzerStub

    def configure(self, **policies: Mapping[str, Any]) -> None:
        """As `--policy-pack-config` does: by policy (with _ for -), its level and its values."""
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        levels = {policy.name: policy.enforcementLevel for policy in self.info().policies}
        for name, given in policies.items():
            values = dict(given)
            policy = name.replace("_", "-")
            level = values.pop("enforcementLevel", None)
            one = request.policyConfig[policy]
            one.enforcementLevel = levels[policy] if level is None else ENFORCEMENT[level]
            one.properties.CopyFrom(struct(values))
        self.stub.Configure(request)

    def info(self) -> Any:
        return self.stub.GetAnalyzerInfo(empty_pb2.Empty())

    def resource(self, index: int, type_: str, inputs: Mapping[str, Any], provider: Resource | None = None) -> Any:
        """Before a resource is made: its inputs."""
        request = analyzer_pb2.AnalyzeRequest(
            type=type_, urn=urn(index, type_), name=f"r{index}", properties=struct(inputs)
        )
        if provider is not None:
            request.provider.CopyFrom(
                analyzer_pb2.AnalyzerProviderResource(
                    type=provider[0], urn=urn(99, provider[0]), name="p", properties=struct(provider[1])
                )
            )
        return self.stub.Analyze(request)

    def stack(self, resources: Sequence[Resource]) -> Any:
        """At the end: the outputs of all resources, as far as they are known."""
        request = analyzer_pb2.AnalyzeStackRequest()
        for index, (type_, outputs) in enumerate(resources):
            request.resources.append(
                analyzer_pb2.AnalyzerResource(
                    type=type_, urn=urn(index, type_), name=f"r{index}", properties=struct(outputs)
                )
            )
        return self.stub.AnalyzeStack(request)

    def run(self, resources: Sequence[Resource], outputs: Sequence[Resource] | None = None) -> list[Violation]:
        """A whole operation, as the engine makes it of a stack."""
        answers = [self.resource(index, *one) for index, one in enumerate(resources)]
        answers.append(self.stack(resources if outputs is None else outputs))
        return [violation for answer in answers for violation in violations(answer)]


def violations(answer: Any) -> list[Violation]:
    return [Violation(d.policyName, d.enforcementLevel == 1, d.message) for d in answer.diagnostics]


@contextmanager
def running() -> Iterator[Analyzer]:
    """Start the pack in its folder, with the interpreter that runs this test."""
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(PACK)]
    process = subprocess.Popen(command, cwd=PACK, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        port = process.stdout.readline().strip()
        assert port.isdigit(), process.stderr.read()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Analyzer(analyzer_pb2_grpc.AnalyzerStub(channel))
    finally:
        process.kill()
        process.communicate()
