"""A worker process without its driver."""

from fctestbed.sweep.worker import Worker


def test_a_worker_whose_driver_has_ended_in_its_start_ends_without_a_traceback(capfd):
    worker = Worker.start("cpu", 1)
    worker.pipe.close()
    worker._process.join(60)
    assert worker._process.exitcode == 1
    assert capfd.readouterr().err == ""
