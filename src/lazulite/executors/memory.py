"""Tasks that only pretend to run: for tests of whatever drives an Executor."""

from __future__ import annotations

from pathlib import Path

from lazulite.executors.protocol import Phase, Task
from lazulite.store.files import write_atomically


class MemoryExecutor:
    """Keeps tasks in a dictionary; a test says how they end."""

    def __init__(self, root: Path) -> None:
        """root: where the folders of tasks are made."""
        self.root = root
        self.tasks: dict[str, Task] = {}
        self.phases: dict[str, Phase] = {}

    async def ensure(self, task: Task) -> None:
        """Note the task as running, once."""
        if task.name in self.tasks:
            return
        self.tasks[task.name], self.phases[task.name] = task, Phase.RUNNING
        self.folder(task.name).mkdir(parents=True, exist_ok=True)
        for name, text in task.files.items():
            write_atomically(self.folder(task.name) / name, text.encode())

    async def observe(self, name: str) -> Phase:
        """What was last said of the task."""
        return self.phases.get(name, Phase.LOST)

    async def stop(self, name: str, *, kill: bool = False) -> None:
        """A running task ends: asked to, with success; killed, without an exit code."""
        if self.phases.get(name) is Phase.RUNNING:
            self.phases[name] = Phase.LOST if kill else Phase.SUCCEEDED

    async def forget(self, name: str) -> None:
        """Drop the task."""
        self.tasks.pop(name, None)
        self.phases.pop(name, None)

    def folder(self, name: str) -> Path:
        """Where the task's files are."""
        return self.root / name

    def end(self, name: str, phase: Phase) -> None:
        """Let a task end that way."""
        self.phases[name] = phase
