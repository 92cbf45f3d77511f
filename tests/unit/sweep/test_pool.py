"""One function on many arguments: places, threads, errors, in this process and in others."""

import math
import multiprocessing

import pytest
import torch

from fctestbed.sweep import results_as_completed


def test_calls_in_this_process_are_in_order_on_one_thread_which_is_undone():
    torch.set_num_threads(2)
    try:
        results = results_as_completed(
            lambda x, y: (x + y, torch.get_num_threads()), [(1, 2), (3, 4)], 1
        )
        assert list(results) == [(0, (3, 1)), (1, (7, 1))]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_worker_processes_give_every_result_with_the_place_of_its_arguments():
    results = dict(results_as_completed(math.sqrt, [(float(n * n),) for n in range(5)], 2))
    assert results == {n: float(n) for n in range(5)}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_call_is_raised_and_no_worker_is_left(workers):
    with pytest.raises(ValueError, match=r"math domain error|expected a nonnegative input"):
        list(results_as_completed(math.sqrt, [(-1.0,), (1.0,)], workers))
    assert not multiprocessing.active_children()


def test_closing_the_generator_kills_the_workers():
    results = results_as_completed(math.sqrt, [(4.0,)] * 4, 2)
    assert next(results)[1] == 2.0
    results.close()
    assert not multiprocessing.active_children()
