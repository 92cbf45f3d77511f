"""What a bad input does, in this process or one of its own, and what is wrong with it.

Handled well: the documented exit code, one line on stderr of at most 300 characters that starts
with ``fctestbed: `` and names what is wrong, no change of any file, no traceback, less than 20
seconds, bounded memory. In Python: a ``ValueError``, a ``TypeError``, or an ``OSError`` of a file
that cannot be opened, of one such line.
"""

import contextlib
import io
import os
import pickle
import re
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bad import REFUSED, USAGE, Bad

from fctestbed._messages import one_line
from fctestbed.cli.main import run
from fctestbed.results import StoreRefused

MOST_CHARACTERS = 300
MOST_SECONDS = 20
MOST_BYTES = 12 << 30


def tree(directory: Path) -> dict[str, Any]:
    """What a directory holds: kinds, targets and contents."""
    found: dict[str, Any] = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if "__pycache__" in name:
            continue
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = path.read_bytes()
        else:
            found[name] = oct(path.stat().st_mode)
    return found


def outcome(bad: Bad) -> tuple[int, str]:
    """The exit code and what was said, in this process and the current directory."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        if isinstance(bad.call, tuple):
            code = run(list(bad.call))
        else:
            try:
                bad.call()
                code = 0
            except (ValueError, TypeError, OSError, StoreRefused) as error:
                code = REFUSED if isinstance(error, StoreRefused) else USAGE
                # The system's own errors hold the whole name of a file.
                said = one_line(str(error)) if isinstance(error, OSError) else error
                err.write(f"fctestbed: {said}\n")
    return code, err.getvalue()


def faults(bad: Bad, code: int, said: str) -> list[str]:
    """What is wrong with an answer."""
    wrong = []
    if code != bad.code:
        wrong.append(f"exit code {code}, not {bad.code}")
    if said.count("\n") != 1 or not said.startswith("fctestbed: "):
        wrong.append("not one line")
    if len(said) > MOST_CHARACTERS + len("fctestbed: \n"):
        wrong.append(f"{len(said)} characters")
    if not re.search(bad.names, said):
        wrong.append(f"does not name {bad.names[:40]!r}")
    return wrong


def judged(bad: Bad, directory: Path) -> list[str]:
    """What is wrong with how an input is handled in a new process; empty where all is well."""
    before = tree(directory)
    reading, writing = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _child(bad, directory, writing)
    os.close(writing)
    content = b""
    while select.select([reading], [], [], max(0.0, MOST_SECONDS + started - time.monotonic()))[0]:
        part = os.read(reading, 1 << 16)
        content += part
        if not part:
            break
    os.close(reading)
    took = time.monotonic() - started
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if took >= MOST_SECONDS:
        wrong = [f"more than {MOST_SECONDS} s"]
    elif not content:
        wrong = ["the process ended"]
    else:
        code, said = pickle.loads(content)
        wrong = [said] if code is None else faults(bad, code, said)
        if wrong and code is not None:
            wrong.append(said.strip()[:400])
    after = tree(directory)
    if after != before:
        changed = [n for n in {*before, *after} if before.get(n) != after.get(n)]
        wrong.insert(0, f"changed {', '.join(sorted(changed)[:3])}")
    return wrong


def _child(bad: Bad, directory: Path, writing: int) -> None:
    """Run an input, send what happened and end."""
    os.setpgid(0, 0)
    os.chdir(directory)
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    try:
        answer: tuple[int | None, str] = outcome(bad)
    except BaseException as error:
        answer = None, f"traceback: {type(error).__name__}: {str(error)[:200]}"
    os.write(writing, pickle.dumps((answer[0], answer[1][:30_000])))
    os._exit(0)
