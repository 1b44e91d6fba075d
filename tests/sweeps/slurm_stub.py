"""A stand-in for SLURM's commands: jobs are processes of this machine, and their scripts are run as SLURM runs them.

`python slurm_stub.py COMMAND ARGUMENTS` is one command; `install` puts a small script for each into a folder, which stands in
front of PATH. The state of job J is in the folder J beside them: its script, process and exit status.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

COMMANDS = ("sbatch", "squeue", "scancel", "sacct", "srun")
FOLDER = Path(os.environ.get("SLURM_STUB", "."))
PER_JOB = {
    "SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0", "SLURM_PROCID": "0", "SLURM_LOCALID": "0",
    "SLURM_JOB_NODELIST": "localhost", "SLURM_NODELIST": "localhost",
}  # fmt: skip


def install(folder: Path) -> None:
    """Write the commands into `folder`."""
    folder.mkdir()
    for name in COMMANDS:
        command = folder / name
        command.write_text(f'#!/bin/sh\nSLURM_STUB="{folder}" exec "{sys.executable}" "{__file__}" {name} "$@"\n')
        command.chmod(0o755)


def jobs() -> list[str]:
    return sorted((path.name for path in FOLDER.iterdir() if path.name.isdigit()), key=int)


def state(job: str) -> str:
    status = FOLDER / job / "status"
    if not status.exists():
        return "RUNNING"
    code = status.read_text().strip()
    return {"0": "COMPLETED", "cancelled": "CANCELLED"}.get(code, "FAILED")


def directive(script: str, name: str) -> str | None:
    """The value of an option in the comments of a job script."""
    found = re.search(rf"^#SBATCH (?:--{name}[= ]|-{name[0]} )(\S+)", script, re.MULTILINE)
    return found and found[1]


def sbatch(*arguments: str) -> None:
    number = 1 + max(map(int, jobs()), default=0)
    while True:
        job = FOLDER / str(number)
        try:
            job.mkdir()
            break
        except FileExistsError:  # two calls at a time
            number += 1
    script = Path(arguments[-1]).read_text()
    (job / "script").write_text(script)
    output = directive(script, "output")
    log = open(output.replace("%j", str(number)).replace("%t", "0") if output else os.devnull, "wb")  # noqa: SIM115
    own = {**os.environ, **PER_JOB, "SLURM_JOB_ID": str(number), "SLURM_JOBID": str(number)}
    run = f'bash "{job}/script"; code=$?; [ -e "{job}/status" ] || echo $code > "{job}/status"'
    process = subprocess.Popen(
        ["bash", "-c", run], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=own, start_new_session=True
    )
    (job / "process").write_text(str(process.pid))
    print(f"Submitted batch job {number}")


def squeue(*_: str) -> None:
    print("JOBID ST")
    for job in jobs():
        if state(job) == "RUNNING":
            print(job, "R")


def scancel(*arguments: str) -> None:
    for job in filter(str.isdigit, arguments):
        if state(job) == "RUNNING":
            (FOLDER / job / "status").write_text("cancelled")
            os.killpg(int((FOLDER / job / "process").read_text()), signal.SIGKILL)


def sacct(*_: str) -> None:
    print("JobID|State|NodeList")
    for job in jobs():
        print(f"{job}|{state(job)}|localhost")


def srun(*arguments: str) -> None:
    command = list(arguments)
    while command[0].startswith("-"):
        option, _, value = command.pop(0).partition("=")
        if option in ("--output", "--error"):
            path = (value or command.pop(0)).replace("%j", os.environ["SLURM_JOB_ID"]).replace("%t", "0")
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1 if option == "--output" else 2)
    os.execvp(command[0], command)


if __name__ == "__main__":
    {"sbatch": sbatch, "squeue": squeue, "scancel": scancel, "sacct": sacct, "srun": srun}[sys.argv[1]](*sys.argv[2:])
