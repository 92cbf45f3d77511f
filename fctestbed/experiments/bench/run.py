"""The benchmark as rows: each case beside its references, within a time.

May import numpy and the benchmark's own modules.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field, PositiveInt

from fctestbed.experiments.bench.case import (
    BenchRow,
    Case,
    GrowthCase,
    GrowthRow,
    LeftOut,
    Prepared,
)
from fctestbed.experiments.bench.growth import growth_row
from fctestbed.experiments.bench.memory import can_measure, peak_bytes
from fctestbed.experiments.bench.references import References, load_references
from fctestbed.experiments.bench.registry import bench_cases, chosen_cases
from fctestbed.experiments.bench.timing import LEAST_SECONDS, Work, matrix_product, measured_in_turn
from fctestbed.synthesis import Spec


class BenchSpec(Spec):
    """Settings.

    Attributes:
        only: names of cases, or their beginnings up to a slash; empty for all.
        rounds: most repetitions of each case; in each, the case, its reference and a matrix product
            are done once, one after the other.
        steps: steps of each timed training of the quick preset, a tenth of them at official sizes.
        seconds: time for all cases, which share what is left of it evenly. A case that is begun
            takes one round at least; those that time does not reach are left out. None for no
            limit.
        memory: measure the most memory that each case holds, in a process of its own.
    """

    only: tuple[str, ...] = ()
    rounds: PositiveInt = 5
    steps: PositiveInt = 20
    seconds: Annotated[float, Field(gt=0)] | None = None
    memory: bool = False


def case_units(device: str) -> dict[str, str]:
    """What one unit of each case is, by the case's name."""
    return {case.name: case.unit for case in bench_cases(device, BenchSpec().steps)}


def run_bench(
    spec: BenchSpec, *, device: str = "cpu", references: str | Path | None = None
) -> Iterator[BenchRow | GrowthRow | LeftOut]:
    """Time the cases, one after the other.

    Args:
        spec: settings.
        device: a torch device.
        references: a file of plain forms to time beside the cases, such as
            ``tests/bench/references.py`` of the checkout; None for those of the package alone.

    Returns:
        The rows, each as soon as it is measured.

    Raises:
        ValueError: one line, before anything is timed, for a name under which there is no case,
            what is no file of references, or memory that this system does not tell.
    """
    cases = chosen_cases(bench_cases(device, spec.steps), spec.only)
    plain = {} if references is None else load_references(references)
    if spec.memory and not can_measure(device):
        raise ValueError("memory: expected a system that tells it (/proc/self/status), got none")
    return _rows(cases, spec, device, plain, None if references is None else Path(references))


def _rows(
    cases: list[Case | GrowthCase],
    spec: BenchSpec,
    device: str,
    plain: References,
    path: Path | None,
) -> Iterator[BenchRow | GrowthRow | LeftOut]:
    started = time.perf_counter()
    for place, case in enumerate(cases):
        share = None
        if spec.seconds is not None:
            left = spec.seconds - (time.perf_counter() - started)
            if left <= 0:
                yield LeftOut(case.name)
                continue
            share = left / (len(cases) - place)
        if isinstance(case, GrowthCase):
            yield growth_row(case, device, rounds=spec.rounds, seconds=share)
            continue
        prepared = case.prepare(device)
        ways = dict(prepared.references)
        if case.plain in plain:
            ways |= plain[case.plain](prepared.inputs)
        named: list[tuple[str, Work | None]] = [*ways.items()] or [("", None)]
        for reference, work in named:
            row = _row(case, prepared, reference, work, spec, device, share, len(named))
            if spec.memory and prepared.warm:
                row = _with_memory(row, spec, device, path)
            yield row


def _row(  # noqa: PLR0917 - all that a row is made of
    case: Case,
    prepared: Prepared,
    reference: str,
    plain: Work | None,
    spec: BenchSpec,
    device: str,
    seconds: float | None,
    n_rows: int,
) -> BenchRow:
    """One case beside one reference; both are timed anew for each ratio."""
    works, operations = [prepared.work], prepared.operations
    if plain is not None:
        works.append(plain)
    product_operations = 0.0
    if operations is not None:
        product, product_operations = matrix_product(device, prepared.precision)
        works.append(product)
    times = measured_in_turn(
        works,
        rounds=spec.rounds,
        seconds=None if seconds is None else seconds / n_rows,
        warm=prepared.warm,
        least_seconds=LEAST_SECONDS,
    )
    own, best = times[:, 0], float(times[:, 0].min())
    ratios = times[:, 1] / own if plain is not None else None
    share = None
    if operations is not None:
        share = float(np.median(operations / own / (product_operations / times[:, -1])))
    return BenchRow(
        name=case.name,
        unit=case.unit,
        seconds=best,
        rounds=len(times),
        reference=reference,
        reference_seconds=None if plain is None else float(times[:, 1].min()),
        ratio=None if ratios is None else float(np.median(ratios)),
        ratio_low=None if ratios is None else float(ratios.min()),
        ratio_high=None if ratios is None else float(ratios.max()),
        operations=operations,
        flops=None if operations is None else operations / best,
        matrix_share=share,
        precision=prepared.precision,
    )


def _with_memory(row: BenchRow, spec: BenchSpec, device: str, references: Path | None) -> BenchRow:
    def peak(reference: str) -> int:
        return peak_bytes(
            row.name, reference, device, spec.steps, torch.get_num_threads(), references
        )

    of_reference = peak(row.reference) if row.reference else None
    return replace(row, peak_bytes=peak(""), reference_peak_bytes=of_reference)
