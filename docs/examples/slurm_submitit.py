"""A sweep on a SLURM cluster through submitit: each chunk is a job. Good for few, long chunks.

Run it on a login node, in a folder that all nodes see: python slurm_submitit.py
It needs: pip install submitit
"""

import numpy as np
import submitit

import spinsync as ss

one = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-np.pi / 2)

if __name__ == "__main__":
    executor = submitit.AutoExecutor(folder="jobs")
    executor.update_parameters(timeout_min=30, cpus_per_task=1, mem_gb=2)
    widths = ss.sweep(
        ss.linewidth, {"coupling": np.linspace(5.0, 30.0, 8)}, model=one, store="widths.zarr", executor=executor,
        theory=ss.Exact(100), chunk=2,
    )  # fmt: skip
    print(widths.linewidth.values.round(4))
