"""What the record of a run says besides its measurements.

May import ``fctestbed.objectives`` and ``fctestbed.synthesis``.
"""

from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from fctestbed.objectives import find_method
from fctestbed.results import RunRecord
from fctestbed.sweep.grid import RunSpec
from fctestbed.sweep.plan import Job
from fctestbed.sweep.user_code import user_code_notes
from fctestbed.synthesis import (
    AugmentationSpec,
    Dataset,
    WorldSpec,
    augmentation_information_bits,
)


def run_record(run: RunSpec, **values: Any) -> RunRecord:
    """The record of a run; ``values`` are the fields that its specification does not give."""
    return RunRecord(
        run_id=run.run_id,
        method=run.training.method,
        variant=run.variant,
        preset=run.preset,
        unique_ratio=run.unique_ratio,
        seed=run.training.seed,
        spec=run.model_dump(mode="json"),
        **values,
    )


def run_provenance(about: Mapping[str, Any], job: Job, run: RunSpec) -> dict[str, Any]:
    """The provenance of a run: that of its unit, of the user's code, and of a training from another
    store."""
    source = {} if run.source is None else {"source": run.source}
    origin = {} if job.done is None else {"measured_from": job.done.origin}
    return {**about, **source, **origin}


def about_the_loss(run: RunSpec) -> dict[str, Any]:
    """The terms of the method's loss, its settings that have the official code's value, and how
    code of a user's own is computed."""
    method = find_method(run.training.method)
    settings = run.training.settings
    notes = user_code_notes([run.training])
    return {
        **({"user_code": list(notes)} if notes else {}),
        "terms": list(method.terms),
        "departures": {
            name: value for name, value in method.departures.items() if settings[name] == value
        },
    }


def run_truth(dataset: Dataset, augmentation: AugmentationSpec | None) -> dict[str, Any]:
    """What a run's world holds, exactly, and what its augmented copies hold of their originals."""
    relevant = [
        f"{block}[{place}]"
        for block, count in zip(("w_s", "w_1", "w_2"), dataset.spec.relevant, strict=True)
        for place in range(count)
    ]
    copies = None if augmentation is None else _copies(dataset.spec, augmentation)
    return {
        **dataset.truth.as_dict(),
        "relevant_latents": relevant,
        **({} if copies is None else {"augmentation": copies}),
    }


# The table of many relevant bits is slow to compute, and a world has many seeds and methods.
@lru_cache(maxsize=64)
def _copies(world: WorldSpec, augmentation: AugmentationSpec) -> dict[str, float] | None:
    """Information that augmented copies hold about their originals, in bits; None if unknown."""
    try:
        return asdict(augmentation_information_bits(world, augmentation))
    except ValueError:
        return None
