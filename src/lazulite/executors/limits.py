"""Limits of the kernel on a process and what it starts, set by prlimit as its last step."""

from __future__ import annotations

import dataclasses
import shutil

from lazulite.executors.launch import PLAIN, Launch, Sandbox

PROCESSES, MEMORY_MIB = "processes", "memory_mib"
"""Details: how many processes and threads; how much address space each process may have."""


def limited(launch: Launch, sandbox: Sandbox) -> Launch:
    """The launch with the limits of the sandbox's details; without any, as it is. A Wrapper.

    Processes are counted per user namespace: outside of one, all of the user's would count. Without
    prlimit (util-linux) on this machine there are no limits.
    """
    program, options = shutil.which("prlimit"), _options(sandbox)
    if program is None or not options:
        return launch
    return dataclasses.replace(launch, argv=(program, *options, *launch.argv))


def _options(sandbox: Sandbox) -> list[str]:
    details = sandbox.details
    options = ["--core=0"] if PROCESSES in details else []
    processes, memory = (int(details.get(name, "0")) for name in (PROCESSES, MEMORY_MIB))
    if processes and sandbox.kind != PLAIN:
        options.append(f"--nproc={processes}:{processes}")
    if memory:
        options.append(f"--as={memory << 20}:{memory << 20}")
    return options
