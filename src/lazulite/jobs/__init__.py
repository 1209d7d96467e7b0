"""Command jobs: one command in one environment on one node, from job.json to its exit code."""
