"""The critic's benchmark compares ways to compute the same scores."""

import pytest
import torch

from fctestbed.experiments import critic_bench
from fctestbed.experiments.critic_bench import all_pairs, all_rows, drawn_critic


@pytest.mark.parametrize("hidden", [(6,), (6, 5)])
def test_both_plain_ways_give_the_critics_scores(hidden: tuple[int, ...]) -> None:
    critic, u, v = drawn_critic(7, 4, hidden, "cpu")
    for plain in (all_rows, all_pairs):
        torch.testing.assert_close(plain(critic, u, v), critic(u, v))


def test_each_critic_is_timed_beside_each_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(critic_bench, "_CASES", ((5, 3, (4,)), (5, 3, (4, 4))))
    timings = list(critic_bench.critic_benchmarks("cpu", 1e9))
    assert [timing.name.split(",")[0] for timing in timings] == [
        "pair critic 4-1",
        "pair critic 4-4-1",
        "pair critic 4-4-1",
    ]
    for timing in timings:
        assert "float32" in timing.name
        assert timing.speedup is not None
        assert timing.speedup > 0
        assert timing.share_of_rate is not None
    # 3 x 2 operations for each weight and pair, and for each weight of the first layer and row.
    assert timings[0].operations == 6 * 25 * 4 + 6 * 2 * 5 * 3 * 4
