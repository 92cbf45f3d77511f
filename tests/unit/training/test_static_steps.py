"""Steps of fixed shapes, as a CUDA device runs them, here on the CPU with a faked capture."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch
from tiny_stacks import (
    GRID,
    NETS,
    SETTINGS,
    STEPS,
    TRAIN,
    Work,
    dataset,
    parameters,
    specs_of,
    trained,
    trained_statically,
    training,
)
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from fctestbed._devices import Fetched, sent
from fctestbed.nets import pairs
from fctestbed.objectives import METHODS, NO_GROUPS, GroupExtents, group_by_condition, group_extents
from fctestbed.synthesis import OfficialAugmentation
from fctestbed.training import (
    Progress,
    TrainedStack,
    TrainSpec,
    static_steps,
    trainer,
)
from fctestbed.training.batches import BLOCK, DrawnBatch, DrawnBatches
from fctestbed.training.randomness import torch_stream
from fctestbed.training.static_steps import StaticSteps

# Operations for whose results the host waits, or whose shapes depend on values.
_WAITS = (
    "aten._local_scalar_dense",
    "aten.nonzero",
    "aten.masked_select",
    "aten.bincount",
    "aten._unique2",
    "aten.unique_dim",
    "aten.unique_consecutive",
    "aten.equal",
)


class _Recorder(TorchDispatchMode):
    """Records operations with the shapes of their arguments, and refuses those that wait."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[Any, ...]]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = str(func)
        flat, _ = torch.utils._pytree.tree_flatten((args, kwargs))
        tensors = [one for one in flat if isinstance(one, Tensor)]
        by_mask = name.startswith("aten.index") and any(t.dtype == torch.bool for t in tensors)
        if name.startswith(_WAITS) or (by_mask and "index_put" not in name):
            raise AssertionError(f"{name} waits for the device")
        self.found.append((name, tuple(tuple(one.shape) for one in tensors)))
        return func(*args, **(kwargs or {}))


def _refused(self: Tensor) -> Any:
    raise AssertionError("tolist waits for the device")


@contextmanager
def no_waits() -> Iterator[_Recorder]:
    with pytest.MonkeyPatch.context() as patch, _Recorder() as recorder:
        patch.setattr(Tensor, "tolist", _refused)
        yield recorder


@pytest.mark.parametrize(("method", "parts"), SETTINGS)
def test_static_steps_train_as_others_do(method: str, parts: dict[str, Any]) -> None:
    specs = specs_of(method, **parts)
    expected = trained(specs, dtype=torch.float64)
    found = trained_statically(specs, dtype=torch.float64)
    assert found.warnings == []
    assert found.logged_steps == expected.logged_steps
    for run in range(len(specs)):
        for name, values in parameters(found, run).items():
            torch.testing.assert_close(
                values, parameters(expected, run)[name], rtol=1e-8, atol=1e-8
            )
    for name, losses in expected.losses_nats.items():
        torch.testing.assert_close(
            torch.tensor(found.losses_nats[name]), torch.tensor(losses), rtol=1e-6, atol=1e-6
        )


@pytest.mark.parametrize(("method", "parts"), SETTINGS)
def test_static_steps_have_the_same_operations_and_shapes_and_wait_for_nothing(
    method: str, parts: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs: list[list[Any]] = []

    def captured(work: Work) -> Work:
        graphs.append([])

        def replay() -> None:
            with no_waits() as recorder:
                work()
            graphs[-1].append(recorder.found)

        return replay

    # As on a device without this package's CPU kernels.
    monkeypatch.setattr(pairs, "_has_cpu_tiles", lambda features: False)
    nets = NETS.model_copy(update={"critic_hidden": (9, 7)})
    few = TRAIN.model_copy(update={"steps": 8})
    trained_statically(specs_of(method, nets=nets, train=few, **parts), captured)
    # Fresh batches for each inner step come in shorter blocks, of which a later one may be larger.
    assert len(graphs[0]) >= 2
    for first, *others in graphs:
        assert len(first) > 50
        assert all(found == first for found in others)


def test_the_guard_against_waits_fires() -> None:
    values = torch.arange(4.0)
    for wait in (
        lambda: values.sum().item(),
        lambda: Tensor.tolist(values),
        lambda: bool(values.any()),
        lambda: values[values > 1],
        values.nonzero,
    ):
        with pytest.raises(AssertionError, match="waits for the device"), no_waits():
            wait()


@pytest.mark.parametrize(("method", "parts"), SETTINGS)
def test_batches_are_made_without_waits(method: str, parts: dict[str, Any]) -> None:
    specs = specs_of(method, **parts)
    train = specs[0].train
    batches = DrawnBatches(
        specs,
        specs[0].build_method(),
        train,
        [dataset(ratio, seed) for ratio, seed in GRID],
        per_step=1,
        device=torch.device("cpu"),
        dtype=torch.float32,
    )
    # Data are put on the device before the first.
    first = next(batches)
    with no_waits():
        others = list(batches)
    assert len(others) == STEPS - 1
    shapes = [tensor.shape for tensor in first.tensors]
    assert all([tensor.shape for tensor in batch.tensors] == shapes for batch in others)


@pytest.mark.parametrize("inner_batch", ["fresh", "same"])
def test_data_of_static_steps_are_those_of_others(inner_batch: str) -> None:
    method = METHODS["factorcl-ssl"]
    spec = training(
        "factorcl-ssl",
        settings={"inner_batch": inner_batch},
        train=TRAIN.model_copy(update={"steps": 21}),
    )
    seen = []
    for train in (trained, trained_statically):
        batches: list[list[Tensor]] = []
        with pytest.MonkeyPatch.context() as patch:
            for name in ("loss", "inner_loss"):
                note_batches(patch, method, name, batches)
            train([spec])
        seen.append(batches)
    assert len(seen[0]) == 2 * 21
    for usual, static in zip(*seen, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(usual, static, strict=True))


def note_batches(
    patch: pytest.MonkeyPatch, method: type[Any], name: str, noted: list[list[Tensor]]
) -> None:
    """Note copies of what a loss of a method takes."""
    loss = getattr(method, name)

    def watched(self: Any, module: Any, batch: Any) -> Any:
        (view,) = batch.views
        parts = batch.x1, batch.x2, batch.y, view.x1, view.x2, batch.groups.same
        noted.append([part.clone() for part in parts])
        return loss(self, module, batch)

    patch.setattr(method, name, watched)


def test_random_numbers_are_drawn_on_the_cpu_whatever_the_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The generators end in the same state, and none is another device's."""
    states: dict[str, list[Tensor]] = {}
    for device in ("cpu", "meta"):
        generators: list[torch.Generator] = []

        def stream(*name: Any, kept: list[torch.Generator] = generators) -> torch.Generator:
            kept.append(torch_stream(*name))
            return kept[-1]

        monkeypatch.setattr("fctestbed.training.batches.torch_stream", stream)
        specs = specs_of("unimodal-ssl", augmentation=OfficialAugmentation())
        drawn = DrawnBatches(
            specs,
            specs[0].build_method(),
            TRAIN,
            [dataset(ratio, seed) for ratio, seed in GRID],
            per_step=1,
            device=torch.device(device),
            dtype=torch.float32,
        )
        made = list(drawn)
        assert {tensor.device.type for batch in made for tensor in batch.tensors} == {device}
        assert {generator.device.type for generator in generators} == {"cpu"}
        states[device] = [generator.get_state() for generator in generators]
    for here, there in zip(states["cpu"], states["meta"], strict=True):
        assert torch.equal(here, there)


def test_a_step_that_cannot_be_captured_is_run_as_it_is_with_one_line_of_warning() -> None:
    def captured(work: Work) -> Work:
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    specs = specs_of("factorcl-sup")
    expected = trained(specs, dtype=torch.float64)
    found = trained_statically(specs, captured, dtype=torch.float64)
    assert found.warnings == [
        "steps are not captured as a CUDA graph: operation not permitted when stream is capturing"
    ]
    assert found.logged_steps == expected.logged_steps
    for name, values in parameters(found, 0).items():
        torch.testing.assert_close(values, parameters(expected, 0)[name], rtol=1e-8, atol=1e-8)


def test_a_capture_that_runs_out_of_memory_is_not_a_step_that_cannot_be_captured() -> None:
    def captured(work: Work) -> Work:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        trained_statically([training("simclr")], captured)


class _Step:
    """A step that notes the extents of groups that it is given."""

    n_batches = 1

    def __init__(self) -> None:
        self.extents: list[tuple[int, ...]] = []

    def set_rate(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, batches: Any) -> None:
        groups = batches[0].groups
        self.extents.append((*groups.index.shape[1:], groups.n_pairs))


def test_steps_are_captured_again_only_where_larger_groups_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graphs: list[Work] = []

    def captured(work: Work) -> Work:
        graphs.append(work)
        return work

    monkeypatch.setattr(static_steps, "captured", captured)
    few, many = torch.arange(64) // 4, torch.arange(64) // 16
    x = torch.zeros(1, 64, 2)

    def batches() -> Iterator[DrawnBatch]:
        for condition in (few, many, few):
            for _ in range(BLOCK):
                y = condition.unsqueeze(0)
                yield DrawnBatch(x1=x, x2=x, y=y, condition=y)

    step: Any = _Step()
    warned: list[str] = []
    steps = StaticSteps(step, batches(), warned.append)
    for _ in range(3 * BLOCK):
        steps.run(0.1)
    assert len(graphs) == 2
    assert step.extents == [(16, 4, 256)] * BLOCK + [(1, 64, 1024)] * (2 * BLOCK)
    assert warned == []


def test_extents_hold_the_groups_of_many_batches() -> None:
    conditions = torch.tensor([[0, 0, 1, 1, 2, 2], [5, 5, 5, 5, 1, 2], [3, 3, 3, 3, 3, 3]])
    assert group_extents(conditions[:2]).tolist() == [3, 4, 18]
    assert group_extents(conditions).tolist() == [3, 6, 36]
    first = NO_GROUPS.enlarged(GroupExtents(n_groups=3, size=21, n_pairs=1100))
    assert first == GroupExtents(n_groups=3, size=22, n_pairs=1152)
    assert first.enlarged(GroupExtents(n_groups=2, size=22, n_pairs=1151)) == first
    assert first.enlarged(GroupExtents(n_groups=4, size=1, n_pairs=1)).n_groups == 4


def test_larger_extents_change_no_pair_and_no_score() -> None:
    generator = torch.Generator().manual_seed(0)
    condition = torch.randint(10, (2, 80), generator=generator)
    rows = torch.randn(2, 80, 3, generator=generator)
    own = group_by_condition(condition)
    padded = group_by_condition(condition, GroupExtents(n_groups=12, size=17, n_pairs=1500))
    assert own.n_pairs < 1500
    assert own.index.shape[1] == 10
    assert padded.index.shape == (2, 12, 20)
    for groups in (own, padded):
        gathered = groups.gather(rows)
        scores = groups.spread(gathered @ gathered.transpose(1, 2))
        torch.testing.assert_close(
            scores.masked_fill(~groups.same, 0.0),
            (rows @ rows.transpose(1, 2)).masked_fill(~groups.same, 0.0),
        )
        listed = groups.pair_list
        assert (listed.rows >= 0).sum() == groups.same.sum()
    assert padded.pair_list.rows.shape == (2, 1500)
    n = own.n_pairs
    assert torch.equal(padded.pair_list.rows[:, :n], own.pair_list.rows)
    assert torch.equal(padded.pair_list.column_pairs, own.pair_list.column_pairs)


def test_losses_are_fetched_once_in_a_hundred_steps_and_are_those_of_each_logged_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = TrainSpec(steps=230, batch_size=16)
    fetched: list[int] = []
    reports: list[Progress] = []
    fetch = trainer._LossLog.fetch

    def watched(self: Any) -> None:
        fetch(self)
        fetched.append(len(reports))

    monkeypatch.setattr(trainer._LossLog, "fetch", watched)
    stack = trained_statically([training("simclr", train=train)], report=reports.append)
    assert [report.step for report in reports] == stack.logged_steps == [*range(4, 230, 4), 230]
    # After steps 100, 200 and 230.
    assert fetched == [25, 50, 58]
    usual = trained([training("simclr", train=train)])
    assert usual.logged_steps == stack.logged_steps
    first, expected = (torch.tensor(one.losses_nats["total"][:10]) for one in (stack, usual))
    torch.testing.assert_close(first, expected, rtol=1e-3, atol=1e-3)


def test_a_visit_sees_the_losses_of_the_steps_before_it() -> None:
    seen: list[tuple[int, int]] = []

    def visit(stack: TrainedStack, step: int) -> None:
        seen.append((step, len(stack.logged_steps)))

    trained_statically([training("simclr")], visit=visit, visited_steps=(2, 9))
    assert seen == [(2, 2), (9, 9)]


def test_static_steps_end_a_stack_of_diverged_runs_and_say_when_each_diverged() -> None:
    train = TRAIN.model_copy(update={"learning_rate": 1e6, "steps": 400})
    stack = trained_statically([training("supervised", train=train)])
    assert stack.diverged[0] is not None
    assert stack.diverged[0].startswith("loss was not finite, or exploded, by step ")
    assert stack.logged_steps[-1] < 400


def test_a_capture_records_work_on_the_current_stream_and_does_it_when_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []

    class Graph:
        def replay(self) -> None:
            said.append("replay")

    @contextmanager
    def graph(made: Graph, *, stream: str) -> Iterator[None]:
        said.append(f"capture on {stream}")
        yield
        said.append("captured")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: "the training's stream")
    replay = static_steps.captured(lambda: said.append("work"))
    assert said == ["capture on the training's stream", "work", "captured"]
    replay()
    assert said[3:] == ["replay"]


def test_a_training_s_stream_and_the_one_around_it_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[tuple[str, str]] = []

    class Stream:
        def __init__(self, name: object) -> None:
            self.name = name if isinstance(name, str) else "own"

        def wait_stream(self, other: "Stream") -> None:
            said.append((self.name, other.name))

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream("before"))
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    with (
        pytest.raises(KeyboardInterrupt),
        static_steps.own_stream(torch.device("cuda")),
    ):
        raise KeyboardInterrupt
    assert said == [("own", "before"), ("before", "own")]


def test_arrays_are_sent_to_a_cuda_device_from_locked_memory_without_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    locked, sent_to = [], []
    monkeypatch.setattr(Tensor, "pin_memory", lambda self: locked.append(self) or self)
    monkeypatch.setattr(Tensor, "to", lambda self, *how, **more: sent_to.append((how, more)))
    values, device = torch.zeros(3), torch.device("cuda", 1)
    sent(values, device)
    assert len(locked) == 1
    assert sent_to == [((device,), {"non_blocking": True})]
    sent(values, torch.device("cpu"))
    assert len(locked) == 1
    assert sent_to[1:] == [((torch.device("cpu"),), {})]


def test_fetched_values_are_those_of_the_time_of_the_call() -> None:
    values = torch.arange(3)
    fetched = Fetched(values)
    values += 1
    assert fetched.tolist() == [0, 1, 2]


def test_only_cuda_devices_have_static_steps() -> None:
    assert static_steps.has_static_steps(torch.device("cuda", 1))
    assert not static_steps.has_static_steps(torch.device("cpu"))
