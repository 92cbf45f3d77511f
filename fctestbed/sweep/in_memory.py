"""The runs of a small sweep in this process, without a store.

May import the rest of ``fctestbed.sweep`` and what is below it.
"""

from dataclasses import replace

from fctestbed.results import RunRecord
from fctestbed.sweep.execute import execute
from fctestbed.sweep.plan import make_plan
from fctestbed.sweep.spec import SweepSpec
from fctestbed.sweep.worker import process_as_a_worker


def run_records(spec: SweepSpec, *, device: str = "cpu") -> list[RunRecord]:
    """The records of a sweep's runs, trained and measured in this process on one thread.

    The numbers are those of ``run_sweep`` on one worker; nothing is stored.

    Args:
        spec: the sweep; all of its runs of one shape are trained as one stack.
        device: a torch device.

    Raises:
        ValueError: if a run of the sweep is impossible.
    """
    plan = make_plan(spec, max_stack=max(1, len(spec.runs())))
    on_cpu = not device.startswith("cuda")
    units = (replace(unit, keeps_encoders=False) for unit in plan.units)
    with process_as_a_worker(1 if on_cpu else None):
        return [record for unit in units for record in execute(unit, device=device).records]
