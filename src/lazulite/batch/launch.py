"""How a worker process is launched: its command, environment, log files and configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lazulite.batch.engine import ProcessName
from lazulite.batch.job import Job

GPU_COUNT = "AZ_BATCHAI_GPU_COUNT_FOUND"


def command(job: Job) -> list[str]:
    """What a node executes."""
    return [job.python, "-m", "lazulite_worker.batch"]


def environment(job: Job, name: ProcessName, seat: int) -> dict[str, str]:
    """The worker's variables. seat: which of the node's processes it is, also after a restart.

    Source: spec/BATCH.md 1.5.
    """
    path = [job.worker_path, *filter(None, [job.env.get("PYTHONPATH")])]
    own = {
        "PYTHONPATH": os.pathsep.join(path),
        "LAZULITE_BATCH_AGENT": name.process,
        "LAZULITE_BATCH_LOG_DIR": str(script_logs(job.log_dir) / name.node),
    }
    gpus = int(job.env.get(GPU_COUNT, "0"))
    if gpus:
        own["CUDA_VISIBLE_DEVICES"] = str(seat) if seat < gpus else ""
    return {"AZUREML_BI_OUTPUT_PATH": job.output_dir, **job.env, **own}


def script_logs(log_dir: str | Path) -> Path:
    """The one folder of the logs that scoring scripts write to themselves."""
    return Path(log_dir, "user", "entry_script_log")


def output_files(job: Job, name: ProcessName) -> tuple[Path, Path]:
    """Where stdout and stderr of the user's code go. Source: spec/BATCH.md 1.6."""
    user = Path(job.log_dir, "user")
    return (
        user / "stdout" / name.node / f"{name.process}.stdout.txt",
        user / "stderr" / name.node / f"{name.process}.stderr.txt",
    )


def next_number(job: Job, node: str) -> int:
    """The first process number that no earlier supervisor of this job has used on the node."""
    folder = Path(job.log_dir, "user", "stdout", node)
    used = [path.name.removeprefix("process").split(".")[0] for path in folder.glob("process*")]
    return max((int(number) + 1 for number in used if number.isdecimal()), default=0)


def configuration(job: Job) -> dict[str, Any]:
    """What a worker is told before init(); argv as Azure's driver has it. Source: BATCH.md 1.5."""
    module = Path(job.script).name if job.script else "mlflow_batch.py"
    arguments = {
        "scoring_module_name": module,
        "mini_batch_size": job.mini_batch_size,
        "error_threshold": job.error_threshold,
        "output_action": job.output_action,
        "logging_level": job.logging_level.upper(),
        "run_invocation_timeout": int(job.timeout_s),
        "run_max_try": job.max_retries + 1,
        "append_row_file_name": job.output_file_name,
        "output": job.output_dir,
        "process_count_per_node": job.processes_per_node,
        **{f"input_fds_{number}": given.path for number, given in enumerate(job.inputs)},
    }
    argv = [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
    return {
        "script": job.script,
        "code_dir": job.code_dir,
        "argv": [job.script or module, *argv, *job.arguments],
        "summary_only": job.output_action == "summary_only",
        "records": bool(job.output_format),
        "logging_level": job.logging_level,
    }
