"""Run a Pulumi program in a process of its own, as the real language host does.

Exit code 0: it ended well; 32: it failed and said so to the engine, or was interrupted; anything else: it failed
otherwise.
Run by path, not as a module, so that nothing of the lab is imported into the program's process.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import runpy
import sys
import traceback

MONITOR_GONE = "Resource monitor has terminated, shutting down"


def main() -> int:
    """Configure the SDK from the arguments and run the program in the current folder."""
    parser = argparse.ArgumentParser()
    for name in ("monitor", "engine", "project", "stack", "dry-run", "parallel", "root"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    sys.path[0] = os.getcwd()  # noqa: PTH109 - pathlib is not needed in the program's process

    import pulumi  # noqa: PLC0415 - only now does sys.path belong to the program
    import pulumi.runtime  # noqa: PLC0415

    sys.argv = ["."]
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=arguments.project,
            stack=arguments.stack,
            monitor=arguments.monitor,
            engine=arguments.engine,
            dry_run=arguments.dry_run == "true",
            parallel=int(arguments.parallel),
            organization="organization",
            root_directory=arguments.root,
        )
    )

    def run_program() -> None:
        runpy.run_path(".", run_name="__main__")

    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(run_program))
    except pulumi.RunError as error:
        # The engine went first because something else failed: that is what it has shown, with its cause.
        if str(error) != MONITOR_GONE:
            pulumi.log.error(str(error))
    except Exception:
        trace = traceback.format_exc()
        pulumi.log.error(f"Program failed with an unhandled exception:\n{trace}")
    else:
        sys.stdout.flush()
        return 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 32


if __name__ == "__main__":
    try:
        code = main()
    except KeyboardInterrupt:
        # Whoever interrupts has said why. Threads that still wait for the engine's answers are not waited for.
        os._exit(32)
    sys.exit(code)
