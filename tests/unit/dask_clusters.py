"""Schedulers that listen on a port, within this process, for tests."""

import contextlib
import logging

from distributed import LocalCluster

from fctestbed.sweep.dask_cluster import quiet_dask


@contextlib.contextmanager
def scheduler_with(n_workers, **settings):
    """A scheduler and workers within this process."""
    with quiet_dask():
        made = LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=False,
            protocol="tcp",
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            **settings,
        )
        try:
            yield made
        finally:
            made.close()
