"""A sweep whose workers are jobs of SLURM, started and ended by dask-jobqueue.

``python examples/clusters/slurm.py 8 --unique-ratio 0:1:0.1 --out /shared/sweep`` starts 8 jobs of
one core each, waits for the first, and runs ``fctestbed sweep`` with what follows. Jobs that start
later join. Further directives of SLURM are in ``DIRECTIVES``; for GPUs use ``--gres=gpu:1`` there
and ``--resources GPU=1`` in ``WORKER``.
"""

import sys

from dask_jobqueue import SLURMCluster
from distributed import Client

from fctestbed.cli import run

DIRECTIVES: list[str] = []
WORKER: list[str] = []


def main(jobs: int, arguments: list[str]) -> int:
    """Run a sweep on so many jobs; the exit code of ``fctestbed sweep``."""
    with SLURMCluster(
        cores=1,
        processes=1,
        memory="4GB",
        walltime="08:00:00",
        # Workers that are about to reach their time end by themselves, not in a unit's middle.
        worker_extra_args=["--lifetime", "470m", "--lifetime-stagger", "5m", *WORKER],
        job_extra_directives=DIRECTIVES,
    ) as cluster:
        cluster.scale(jobs=jobs)
        with Client(cluster) as client:
            client.wait_for_workers(1)
        address = f"--address={cluster.scheduler_address}"
        return run(["sweep", "--engine=dask", address, *arguments])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
