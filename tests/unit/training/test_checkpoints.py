"""A training that goes on from a checkpoint ends as one that was not interrupted, bit for bit."""

import gc
import weakref
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_stacks import SETTINGS, TRAIN, specs_of, trained, trained_statically, training

from fctestbed.results import checkpoint_path
from fctestbed.sweep import process_as_a_worker
from fctestbed.training import Checkpoints, TrainedStack, TrainingSpec, checkpoints
from fctestbed.training.data import StackData
from fctestbed.training.state import StackInTraining
from fctestbed.training.step import TrainingStep

# More than a block of batches; interrupted within the first one, and within the second.
STEPS, INTERRUPTED_AT = 21, (7, 18)
KEY = "a" * 64
VERSIONS = {"fctestbed": "1"}


LEARNED = {"settings": {"critic": "cosine", "learn_temperature": True}}


class Interrupted(Exception):  # noqa: N818 - what a signal does, no error
    """The training ends here."""


class Interrupting(Checkpoints):
    """Saves the stack after the given steps, and ends the training there."""

    def __init__(self, directory: Path, steps: Collection[int] = (), **how: Any) -> None:
        self.lines: list[str] = []
        given = {"runs": ("run",), "versions": VERSIONS, "seconds": 60.0, **how}
        super().__init__(directory, KEY, note=self.lines.append, **given)
        self._steps = steps

    def is_due(self) -> bool:
        return True

    def save(self, stack: StackInTraining, done: int) -> None:
        if done in self._steps:
            super().save(stack, done)
            raise Interrupted


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with process_as_a_worker(1):
        yield


def long_specs(method: str, **parts: Any) -> list[TrainingSpec]:
    return specs_of(method, **{"train": TRAIN.model_copy(update={"steps": STEPS}), **parts})


def interrupted(
    specs: list[TrainingSpec], directory: Path, train: Any = trained, **how: Any
) -> TrainedStack:
    """A stack whose training is interrupted, twice, and goes on."""
    for step in INTERRUPTED_AT:
        with pytest.raises(Interrupted):
            train(specs, checkpoints=Interrupting(directory, [step]), **how)
    last = Interrupting(directory)
    found: TrainedStack = train(specs, checkpoints=last, **how)
    assert last.lines == []
    return found


def assert_equal(found: TrainedStack, expected: TrainedStack) -> None:
    own, other = found.module.state_dict(), expected.module.state_dict()
    assert own.keys() == other.keys()
    assert all(torch.equal(own[name], other[name]) for name in own)
    assert found.logged_steps == expected.logged_steps
    assert list(found.losses_nats.items()) == list(expected.losses_nats.items())
    assert found.diverged == expected.diverged
    assert found.warnings == expected.warnings


@pytest.mark.parametrize(("method", "parts"), [*SETTINGS, ("factorcl-sup", LEARNED)])
def test_an_interrupted_training_ends_as_an_undisturbed_one(
    method: str, parts: dict[str, Any], tmp_path: Path
) -> None:
    specs = long_specs(method, **parts)
    found = interrupted(specs, tmp_path)
    assert_equal(found, trained(specs))
    assert found.continued_at == list(INTERRUPTED_AT)
    assert found.earlier_seconds > 0


@pytest.mark.parametrize("inner_batch", ["fresh", "same"])
def test_batches_that_are_made_ahead_of_their_steps_are_the_same_after_a_checkpoint(
    inner_batch: str, tmp_path: Path
) -> None:
    specs = long_specs("factorcl-ssl", settings={"inner_batch": inner_batch, "inner_steps": 2})
    found = interrupted(specs, tmp_path, trained_statically, dtype=torch.float64)
    expected = trained(specs, dtype=torch.float64)
    for name, tensor in expected.module.state_dict().items():
        torch.testing.assert_close(found.module.state_dict()[name], tensor, rtol=1e-8, atol=1e-8)


def test_a_member_that_diverged_and_warnings_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = long_specs("simclr")
    loss = type(specs[0].build_method()).loss

    def broken(self: Any, module: Any, batch: Any) -> Any:
        terms = loss(self, module, batch)
        return {name: values * torch.tensor([1.0, 1e9, 1.0]) for name, values in terms.items()}

    monkeypatch.setattr(type(specs[0].build_method()), "loss", broken)
    found, expected = interrupted(specs, tmp_path), trained(specs)
    assert [reason is not None for reason in found.diverged] == [False, True, False]
    assert_equal(found, expected)


def saved(directory: Path) -> Path:
    with pytest.raises(Interrupted):
        trained(long_specs("simclr"), checkpoints=Interrupting(directory, [7]))
    return checkpoint_path(directory, KEY)


def test_a_checkpoint_that_does_not_fit_is_ignored_with_one_line(tmp_path: Path) -> None:
    path = saved(tmp_path)
    content = path.read_bytes()
    newer = {"versions": {"fctestbed": "2"}}
    cases: list[tuple[bytes, str, str, dict[str, Any]]] = [
        (content[:-9], "simclr", "expected a whole safetensors file of a checkpoint", {}),
        (b"", "simclr", "expected a whole safetensors file of a checkpoint", {}),
        (content[:-3] + b"xyz", "simclr", "expected a checkpoint as it was written", {}),
        (content, "simclr", "expected fctestbed 2, got 1", newer),
        (content, "supervised", "expected the state of this training, got another", {}),
    ]
    expected = {method: trained(long_specs(method)) for method in ("simclr", "supervised")}
    for written, method, line, how in cases:
        path.write_bytes(written)
        anew = Interrupting(tmp_path, **how)
        found = trained(long_specs(method), checkpoints=anew)
        (said,) = anew.lines
        assert said.startswith(f"{path}: ")
        assert line in said
        assert said.endswith(": the training began anew")
        assert "\n" not in said
        assert found.continued_at == []
        assert_equal(found, expected[method])


def test_a_checkpoint_of_other_networks_changes_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path)
    nets = specs_of("simclr")[0].nets
    assert nets is not None
    specs = long_specs("simclr", nets=nets.model_copy(update={"embed_dim": 6}))
    anew = Interrupting(tmp_path)
    found = trained(specs, checkpoints=anew)
    (said,) = anew.lines
    assert said.startswith(f"{path}: expected the checkpoint of this training, got: ")
    assert "expected float32 [" in said
    assert_equal(found, trained(specs))


def test_a_disk_without_space_is_one_note_and_the_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(checkpoints, "_LEAST_PAUSE", 0)
    (tmp_path / "checkpoints").write_text("in the way of the directory")
    saving = Checkpoints(tmp_path, KEY, runs=(), versions=VERSIONS, seconds=1e-9, note=lines.append)
    found = trained(long_specs("simclr"), checkpoints=saving)
    (line,) = lines
    assert line.startswith("no checkpoint was written, the training went on: ")
    assert_equal(found, trained(long_specs("simclr")))


def test_a_stack_is_saved_once_in_an_interval_and_seldom_where_that_takes_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
    steps: list[int] = []

    def write(directory: Path, checkpoint: Any) -> None:
        steps.append(checkpoint.step)
        now[0] += 0.0625 if len(steps) == 3 else 0.0

    monkeypatch.setattr(checkpoints, "write_checkpoint", write)
    saving = Checkpoints(tmp_path, KEY, runs=(), versions={}, seconds=1.5, note=print)

    def tick(progress: Any) -> None:
        now[0] += 0.5

    trained(
        [training("simclr", train=TRAIN.model_copy(update={"steps": 20}))],
        checkpoints=saving,
        report=tick,
    )
    # The third took 1/16 second: more than 3 seconds pass before the next.
    assert steps == [3, 6, 9, 16, 19]


def test_memory_of_batches_is_free_as_soon_as_a_training_has_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stack that memory does not hold is tried in halves at once."""
    made: list[weakref.ref[StackData]] = []
    init = StackData.__init__

    def watched(self: StackData, *args: Any, **how: Any) -> None:
        init(self, *args, **how)
        made.append(weakref.ref(self))

    def failing(self: Any, *args: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(StackData, "__init__", watched)
    monkeypatch.setattr(TrainingStep, "__call__", failing)
    gc.disable()
    try:
        with pytest.raises(MemoryError) as failure:
            trained(long_specs("simclr"))
        failure.value.__traceback__ = None
        del failure
        assert [one() for one in made] == [None]
    finally:
        gc.enable()
