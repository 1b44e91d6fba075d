"""A sweep on a SLURM cluster through Dask: workers are jobs, and the sweep goes on when jobs end and others start.

Run it on a login node, in a folder that all nodes see: python slurm_dask.py
It needs: pip install dask-jobqueue
"""

import numpy as np
from dask_jobqueue import SLURMCluster
from distributed import Client

import spinsync as ss

pair = ss.Ensemble.pair(detuning=1.0, gain=3.0, damping=1.0, coupling=10.0, theta=-np.pi / 2)
axes = {"detuning": np.linspace(0.0, 8.0, 100), "coupling": np.linspace(1.0, 30.0, 100)}

if __name__ == "__main__":
    # one process of one thread per core: the numerical threads of a unit never fight over cores
    cluster = SLURMCluster(cores=1, processes=1, memory="2 GiB", walltime="00:30:00", job_cpu=1)
    cluster.scale(jobs=2)
    with cluster, Client(cluster) as client:
        tongue = ss.sweep(
            ss.regime, axes, model=pair, store="tongue.zarr", executor=client, variables=["regime", "order_parameter"], chunk=500
        )
    print(f"{int((tongue.regime == ss.Regime.FULL).sum())} of {tongue.regime.size} points are fully synchronized")
