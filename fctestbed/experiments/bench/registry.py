"""All cases of the benchmark, short ones first. May import the benchmark's own modules."""

from collections.abc import Sequence

from fctestbed.experiments.bench.case import Case, GrowthCase
from fctestbed.experiments.bench.critic_cases import critic_cases
from fctestbed.experiments.bench.data_cases import data_cases
from fctestbed.experiments.bench.information_cases import information_cases
from fctestbed.experiments.bench.process_cases import start_up_cases, sweep_cases
from fctestbed.experiments.bench.step_cases import step_cases


def bench_cases(device: str, steps: int) -> list[Case | GrowthCase]:
    """The cases of a device, in the order in which they are timed.

    Args:
        device: a torch device.
        steps: steps of each timed training of the quick preset.
    """
    found = [
        *start_up_cases(),
        *data_cases(),
        *critic_cases(device),
        *information_cases(),
        *step_cases(device, steps),
        *sweep_cases(),
    ]
    # Sorting is stable: within each kind, cases keep their order.
    return sorted(found, key=_lateness)


def _lateness(case: Case | GrowthCase) -> int:
    """Short cases, growth, long cases."""
    return 1 if isinstance(case, GrowthCase) else 2 * case.is_long


def chosen_cases(
    cases: Sequence[Case | GrowthCase], only: Sequence[str]
) -> list[Case | GrowthCase]:
    """The cases under some names, in their own order; all of them if there are no names.

    Args:
        cases: all cases.
        only: names of cases, or their beginnings up to a slash: ``step/factorcl-sup`` is all its
            presets and stacks.

    Raises:
        ValueError: one line, for a name under which there is no case.
    """

    def is_under(case: Case | GrowthCase, name: str) -> bool:
        return case.name == name or case.name.startswith(f"{name}/")

    for name in only:
        if not any(is_under(case, name) for case in cases):
            groups = dict.fromkeys(case.name.partition("/")[0] for case in cases)
            raise ValueError(
                f"only: expected names under {', '.join(groups)} (bench --list), got {name!r}"
            )
    return [case for case in cases if not only or any(is_under(case, name) for name in only)]
