"""A benchmark's rows with the machine that they were measured on.

May import torch, ``fctestbed.sweep`` and the benchmark's own modules.
"""

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch

from fctestbed.experiments.bench.case import BenchRow, GrowthRow, LeftOut
from fctestbed.experiments.bench.run import BenchSpec
from fctestbed.sweep import available_cores, environment


def bench_report(
    rows: Sequence[BenchRow | GrowthRow | LeftOut], spec: BenchSpec, *, device: str
) -> dict[str, Any]:
    """What a file of a benchmark's results holds, as plain values.

    Args:
        rows: the rows.
        spec: the settings that they were measured with.
        device: the device.

    Returns:
        The machine with the load on it (of one, five and fifteen minutes), the settings, and the
        rows by kind.
    """
    machine = {
        **environment(),
        "device": device,
        "device_name": torch.cuda.get_device_name(device) if device != "cpu" else None,
        "cores": available_cores(),
        "threads": torch.get_num_threads(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
    }
    return {
        "machine": machine,
        "settings": spec.model_dump(mode="json"),
        "cases": [asdict(row) for row in rows if isinstance(row, BenchRow)],
        "growth": [asdict(row) for row in rows if isinstance(row, GrowthRow)],
        "left_out": [row.name for row in rows if isinstance(row, LeftOut)],
    }
