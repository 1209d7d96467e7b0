"""The commands of `ml` about jobs, and about schedules, which start jobs."""

from __future__ import annotations

from lazulite.cli.commands import GENERIC, Command

JOBS = (
    Command(
        "job create",
        "command_jobs#create",
        "Submit a command job.",
        "file! name set_values description tags experiment_name stream web:-e skip_validation"
        " save_as",
    ),
    Command(
        "job validate",
        "command_jobs#validate",
        "Check the file of a command job, and what it refers to.",
        "file! set_values",
    ),
    Command("job show", "jobs#show", "Show a job.", "name! web:-e"),
    Command(
        "job list",
        "jobs#listing",
        "List the jobs.",
        "max_results all_results archived_only include_archived",
    ),
    Command(
        "job update",
        "job_changes#update",
        "Change the description, display name or tags of a job.",
        f"name! display_name description tags web:-e {GENERIC}",
    ),
    Command("job archive", "job_changes#archive", "Leave a job out of lists.", "name!"),
    Command("job restore", "job_changes#restore", "Undo archive.", "name!"),
    Command("job show-services", "jobs#services", "Show a job's services.", "name! node_index:-i"),
    Command("job stream", "jobs#stream", "Follow a job until it ends.", "name!"),
    Command(
        "job download",
        "jobs#download",
        "Download what a job wrote.",
        "name! download_path output_name all_outputs",
    ),
    Command(
        "job failed-items",
        "failed_items#listing",
        "List the files that failed in a batch scoring job, each with its error.",
        "name!",
    ),
    Command("job cancel", "jobs#cancel", "Stop a job.", "name! no_wait"),
    Command("job pause", "jobs#pause", "Have a batch job rest and free its nodes.", "name!"),
    Command("job resume", "jobs#resume", "Have a paused batch job go on.", "name!"),
    Command(
        "schedule create",
        "schedules#create",
        "Have a command job start at times.",
        "name file set_values description tags no_wait",
    ),
    Command("schedule show", "schedules#show", "Show a schedule.", "name!"),
    Command(
        "schedule list",
        "schedules#listing",
        "List the schedules.",
        "disabled_only include_disabled max_results",
    ),
    Command(
        "schedule update",
        "schedules#update",
        "Change a schedule.",
        f"name file description tags no_wait {GENERIC}",
    ),
    Command(
        "schedule delete",
        "schedules#delete",
        "Delete a schedule; its jobs stay.",
        "name! no_wait yes",
    ),
    Command("schedule enable", "schedules#enable", "Have a schedule start jobs.", "name! no_wait"),
    Command("schedule disable", "schedules#disable", "Have a schedule rest.", "name! no_wait"),
    Command("schedule trigger", "schedules#trigger", "Start a schedule's job now, once.", "name!"),
)
"""Beside those of ENDPOINTS."""
JOB_COLUMNS = {
    "ml job": ("name", "status", "experiment_name", "start_time", "end_time"),
    "ml job failed-items": ("file", "mini_batch", "attempt", "items", "error"),
    "ml batch-endpoint list-jobs": ("name", "status", "miniBatchSize", "error"),
    "ml endpoint list-jobs": ("name", "status", "miniBatchSize", "error"),
    "ml batch-deployment list-jobs": ("name", "status", "miniBatchSize", "error"),
    "ml schedule": ("name", "is_enabled", "next_time", "last_run", "last_error"),
}
JOB_GROUPS = {
    "ml job": "Jobs: commands and batch scoring.",
    "ml schedule": "Jobs that start at times.",
}
