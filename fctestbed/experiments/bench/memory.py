"""The most memory that a work holds, measured in a process of its own.

May import torch and the benchmark's own modules.

The process makes the inputs, does the work once so that libraries and buffers are there, and then
once more. On a CPU the answer is its largest resident set during that, less the resident set
before; on a GPU torch's largest allocation, less that before. Memory that the first time left with
the allocator is given back before the second, as far as the C library does.
"""

import ctypes
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import torch

from fctestbed.experiments.bench.case import Case
from fctestbed.experiments.bench.process_cases import child_environment
from fctestbed.experiments.bench.references import load_references
from fctestbed.experiments.bench.registry import bench_cases

_CHILD = """
import sys
from fctestbed.experiments.bench.memory import peak_in_this_process
print(peak_in_this_process(sys.argv[1]))
"""
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def can_measure(device: str) -> bool:
    """Whether this system says what a process holds at most: Linux does, and torch of a GPU."""
    return device != "cpu" or (_STATUS.exists() and "VmHWM" in _STATUS.read_text())


def peak_bytes(  # noqa: PLR0917 - what the other process is told
    case: str, reference: str, device: str, steps: int, threads: int, references: Path | None
) -> int:
    """Most bytes that a case's work holds above its inputs, measured in another process.

    Args:
        case: its name.
        reference: the reference that is measured in place of the case's own work, or "".
        device: a torch device.
        steps: as in ``bench_cases``.
        threads: CPU threads.
        references: the file of references, or None.
    """
    told = {
        "case": case,
        "reference": reference,
        "device": device,
        "steps": steps,
        "threads": threads,
        "references": None if references is None else str(references),
    }
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, json.dumps(told)],
        env=child_environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return int(done.stdout.split()[-1])


def peak_in_this_process(told: str) -> int:
    """What ``peak_bytes`` asks another process for, by its arguments as JSON."""
    asked = json.loads(told)
    torch.set_num_threads(asked["threads"])
    device = asked["device"]
    cases = {case.name: case for case in bench_cases(device, asked["steps"])}
    case = cases[asked["case"]]
    assert isinstance(case, Case)
    prepared = case.prepare(device)
    work: Callable[[], float] = prepared.work
    if asked["reference"]:
        ways = dict(prepared.references)
        if asked["references"] is not None and case.plain:
            ways |= load_references(asked["references"])[case.plain](prepared.inputs)
        work = ways[asked["reference"]]
    work()
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        return int(torch.cuda.max_memory_allocated(device)) - before
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    # The largest resident set starts anew; where that is refused, it includes the making of inputs.
    with suppress(OSError):
        _RESET.write_text("5")
    before = _resident_bytes("VmRSS")
    work()
    return _resident_bytes("VmHWM") - before


def _resident_bytes(name: str) -> int:
    """A size in this process's status, which the kernel gives in KiB."""
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
