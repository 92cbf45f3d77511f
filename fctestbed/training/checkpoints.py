"""When a stack in training is saved, and how a training goes on from what was saved.

May import torch and ``fctestbed.results``.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from fctestbed.results import (
    Checkpoint,
    StoreRefused,
    checkpoint_path,
    read_checkpoint,
    write_checkpoint,
)
from fctestbed.training.state import StackInTraining, Visitor

# A checkpoint that took long to write is not written again before so many times as long.
_LEAST_PAUSE = 50


class Checkpoints:
    """The checkpoints of one stack's training, in a file.

    Args:
        directory: the sweep's directory.
        key: the key of the unit of work, which names the file.
        runs: ids of the runs that the unit serves.
        versions: of the code; a checkpoint of others is not gone on from.
        seconds: least seconds from one checkpoint to the next, and to the first; above 0.
        note: called with one line for what was not done, and why.
        visitor: what looks at the stack meanwhile, whose state is saved too.
    """

    def __init__(
        self,
        directory: Path,
        key: str,
        *,
        runs: tuple[str, ...],
        versions: Mapping[str, str],
        seconds: float,
        note: Callable[[str], None],
        visitor: Visitor | None = None,
    ) -> None:
        self.visitor = visitor
        self._directory, self._key, self._runs = directory, key, runs
        self._versions, self._seconds, self._note = versions, seconds, note
        self._started = time.monotonic()
        self._due = self._started + seconds
        self._has_failed = False

    def go_on(self, stack: StackInTraining) -> int:
        """Put a stack that has just begun into the state that was saved, if there is one.

        Returns:
            The number of steps that are done; 0 where the training begins anew.
        """
        path = checkpoint_path(self._directory, self._key)
        try:
            saved = read_checkpoint(self._directory, self._key)
            if saved is None:
                return 0
            versions = self._all_versions(stack)
            for name in sorted(versions.keys() | saved.versions.keys()):
                here, there = versions.get(name), saved.versions.get(name)
                if here != there:
                    raise StoreRefused(f"{path}: expected {name} {here}, got {there}")
            stack.go_on(saved.step, saved.arrays, saved.state)
        except StoreRefused as refusal:
            self._note(f"{refusal}: the training began anew")
            return 0
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            self._note(
                f"{path}: expected the checkpoint of this training, got: "
                f"{' '.join(str(error).split()):.120}: the training began anew"
            )
            return 0
        return saved.step

    def is_due(self) -> bool:
        """Whether the stack is to be saved now."""
        return time.monotonic() >= self._due

    def save(self, stack: StackInTraining, done: int) -> None:
        """Save a stack after so many steps. A disk that is full, or cannot be written, is noted;
        the training goes on.

        On a CUDA device the host waits for the steps that it has started.
        """
        began = time.monotonic()
        seconds = stack.trained.earlier_seconds + began - self._started
        try:
            write_checkpoint(
                self._directory,
                Checkpoint(
                    key=self._key,
                    versions=self._all_versions(stack),
                    runs=self._runs,
                    step=done,
                    state=stack.values(seconds),
                    arrays=stack.arrays(done),
                ),
            )
        except (MemoryError, ValueError) as error:
            if not self._has_failed:
                self._note(f"no checkpoint was written, the training went on: {error}")
            self._has_failed = True
        ended = time.monotonic()
        self._due = ended + max(self._seconds, _LEAST_PAUSE * (ended - began))

    def _all_versions(self, stack: StackInTraining) -> dict[str, str]:
        """What has to be the same for the same result: of the code, and of its arithmetic."""
        return {
            **self._versions,
            "torch": torch.__version__,
            "device": stack.trained.device.type,
            "threads": str(torch.get_num_threads()),
        }
