"""How often units are tried whose workers end. May import ``fctestbed.sweep.worker``."""

from collections import Counter

from fctestbed.sweep.worker import Death, WorkersCannotStart

_ATTEMPTS = 2
# Workers in a row that end before they have started.
_START_ATTEMPTS = 5


class Attempts:
    """Deaths of workers in one call of an executor."""

    def __init__(self) -> None:
        self._deaths: Counter[int] = Counter()
        self._starts_failed = 0

    def is_left(self, unit: int) -> bool:
        """Whether a unit whose worker has ended is tried again; counts the attempt that ended.

        Args:
            unit: the unit's place in the list.
        """
        self._deaths[unit] += 1
        return self._deaths[unit] < _ATTEMPTS

    def note_start(self) -> None:
        """Call this when a worker has started."""
        self._starts_failed = 0

    def check_start(self, death: Death) -> None:
        """Check a worker that ended without a unit.

        Raises:
            WorkersCannotStart: if it ended by itself while it started, or if too many have ended in
                a row.
        """
        if not death.in_start:
            return
        self._starts_failed += 1
        if not death.by_signal:
            raise WorkersCannotStart(
                f"worker processes cannot start ({death.ending}): expected a script that calls "
                "run_sweep under if __name__ == '__main__', or workers=1"
            ) from None
        if self._starts_failed >= _START_ATTEMPTS:
            raise WorkersCannotStart(
                f"worker processes cannot start: {_START_ATTEMPTS} in a row ended before they had "
                f"started ({death.ending}): expected more memory or fewer workers"
            ) from None
