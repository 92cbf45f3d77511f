"""A user's encoders of the two modalities: what they return for a data set, checked.

Owns the calls of encoders. May import ``fctestbed.synthesis`` and ``fctestbed.training``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fctestbed._plugins import described
from fctestbed.synthesis import CODEWORDS, SPLITS, Dataset, modality_codewords
from fctestbed.training import why_no_codewords

Encode = Callable[[Any], Any]
"""An encoder of one modality: an array [n, dim] in, numbers [n, width] out."""

BATCH_SIZE = 2048
# Few samples in a batch: what depends on the batch differs most between small ones.
_TRIED, _SMALL = 64, 8
# Share of the outputs' range. Other batches round otherwise, the same batch does not.
_OTHER_BATCH, _SAME_BATCH = 1e-2, 1e-4


def encoded_arrays(
    dataset: Dataset,
    encode1: Encode,
    encode2: Encode,
    *,
    max_codewords: int,
    batch_size: int = BATCH_SIZE,
) -> dict[str, NDArray[np.float64]]:
    """The representations of a data set by two encoders, as ``measure_arrays`` takes them.

    Args:
        dataset: the data set.
        encode1: the encoder of modality 1. A ``torch.nn.Module`` gets tensors of its parameters'
            type on their device, without gradients; anything else gets float32 arrays of numpy.
        encode2: the encoder of modality 2.
        max_codewords: most codewords of a modality that are encoded.
        batch_size: most samples in one call.

    Returns:
        ``train_z1``, ``test_z1``, ``codewords_z1`` and the same of modality 2, [rows, width];
        without codewords where the world has none.

    Raises:
        ValueError: one line that begins with ``encode1`` or ``encode2``, for what is not callable,
            raises an error, returns no numbers [n, width], or numbers that are not finite or depend
            on the batch's other samples or on chance.
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(f"batch_size: expected a whole number above 0, got {batch_size!r}")
    found: dict[str, NDArray[np.float64]] = {}
    for modality, encode in ((1, encode1), (2, encode2)):
        name = f"encode{modality}"
        if not callable(encode):
            raise ValueError(f"{name}: expected an encoder to call, got {type(encode).__name__}")
        inputs = {kind: getattr(getattr(dataset, kind), f"x{modality}") for kind in SPLITS}
        if not why_no_codewords(dataset.spec, (modality,), max_codewords):
            inputs[CODEWORDS] = modality_codewords(dataset.world, modality)
        with _module_kept(encode):
            _check_rows(name, encode, inputs["test"])
            for kind, x in inputs.items():
                chunks = [
                    encoded(name, encode, x[start : start + batch_size])
                    for start in range(0, len(x), batch_size)
                ]
                widths = sorted({chunk.shape[1] for chunk in chunks})
                if len(widths) > 1:
                    raise ValueError(f"{name}: expected outputs of one width, got {widths}")
                found[f"{kind}_z{modality}"] = np.concatenate(chunks)
    return found


def encoded(name: str, encode: Encode, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """What an encoder returns for samples, in float64.

    Args:
        name: the argument's name, for errors.
        encode: the encoder.
        x: samples [n, dim]; the encoder gets a copy.

    Raises:
        ValueError: as ``encoded_arrays``.
    """
    given: Any = x.copy()
    is_module = isinstance(encode, nn.Module)
    if isinstance(encode, nn.Module):
        like = next((part for part in encode.parameters()), torch.empty(0))
        given = torch.from_numpy(given).to(device=like.device, dtype=like.dtype)
    try:
        with torch.no_grad() if is_module else nullcontext():
            out = encode(given)
    except KeyboardInterrupt:
        raise
    # A user's encoder may raise anything.
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"{name}: expected an encoder of arrays {list(x.shape)}, got {described(error)}"
        ) from error
    array = _as_array(name, out)
    if array.ndim != 2 or len(array) != len(x) or not array.shape[1]:
        raise ValueError(
            f"{name}: expected outputs of shape [{len(x)}, width] of {len(x)} samples, "
            f"got {list(array.shape)}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite outputs, got NaN or infinity")
    return array


def _as_array(name: str, out: object) -> NDArray[np.float64]:
    """An array of numpy from one of any framework."""
    try:
        if isinstance(out, torch.Tensor):
            array: NDArray[Any] = out.detach().cpu().to(torch.float64).numpy()
        elif hasattr(out, "__array__") or not hasattr(out, "__dlpack__"):
            array = np.asarray(out)
        else:
            array = np.from_dlpack(out)
    # Other frameworks raise errors of their own types.
    except Exception as error:
        raise ValueError(
            f"{name}: expected an array of numbers, got {type(out).__name__} ({described(error)})"
        ) from error
    if array.dtype.kind not in "fiu":
        what = type(out).__name__ if array.dtype.kind == "O" else array.dtype
        raise ValueError(f"{name}: expected an array of numbers, got {what}")
    return array.astype(np.float64)


def _check_rows(name: str, encode: Encode, x: NDArray[np.float32]) -> None:
    """Refuse an encoder whose output for a sample depends on more than the sample."""
    x = x[:_TRIED]
    first, again = encoded(name, encode, x), encoded(name, encode, x)
    # The same samples in other company: in reverse order, a few at a time.
    parts = [encoded(name, encode, x[::-1][at : at + _SMALL]) for at in range(0, len(x), _SMALL)]
    scale = float(np.abs(first - first.mean(0)).max())
    for other, allowed, what in (
        (again, _SAME_BATCH, "others for the same batch: they depend on chance"),
        (np.concatenate(parts)[::-1], _OTHER_BATCH, "others in another batch: they depend on it"),
    ):
        if np.abs(other - first).max() > allowed * scale:
            raise ValueError(
                f"{name}: expected outputs that depend on their own sample alone, got {what} "
                "(dropout or batch normalisation in training mode? call .eval())"
            )


@contextmanager
def _module_kept(encode: Encode) -> Iterator[None]:
    """Leave a module's buffers, such as running means, and torch's generator as they are."""
    if not isinstance(encode, nn.Module):
        yield
        return
    buffers = [(buffer, buffer.detach().clone()) for buffer in encode.buffers()]
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            with torch.no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)
