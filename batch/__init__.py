"""Many conversions: each in a process of its own, here or on a cluster, and a report of all."""

from .jobs import REPORT, jobs_of, plain, read_report
from .records import Batch, Job, Outcome, Running, Trouble
from .run import attempt, run_here, run_on_cluster

__all__ = [
    "REPORT",
    "Batch",
    "Job",
    "Outcome",
    "Running",
    "Trouble",
    "attempt",
    "jobs_of",
    "plain",
    "read_report",
    "run_here",
    "run_on_cluster",
]
