"""Channel information of readouts, as rows.

Owns what is asked of the oracle for each readout and how its answers become rows. May import
``fctestbed.results``, ``fctestbed.synthesis`` and the oracle.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from scipy.stats import norm

from fctestbed.estimators import LEVEL
from fctestbed.measurement.channel import (
    ChannelBits,
    ChannelInformation,
    Codebook,
    channel_information,
    codebook,
    decompose,
    label_channel,
    silent_codebook,
)
from fctestbed.measurement.channel.labels import MAX_RELEVANT_BITS
from fctestbed.measurement.channel.result import Group, Readers
from fctestbed.measurement.latent_bits import BLOCKS, quantities
from fctestbed.measurement.readout_codes import ReadoutCode, word_columns
from fctestbed.measurement.spec import ChannelSpec
from fctestbed.results.schema import CapturedRow
from fctestbed.synthesis import Dataset, WorldSpec

ESTIMATOR = "channel"
_Z = float(norm.ppf(0.5 + LEVEL / 2))


def why_no_channel(spec: WorldSpec, max_codewords: int) -> str | None:
    """Why a world's readouts have no channel information, in one line; None where they have."""
    if not spec.latents.is_finite:
        return (
            f"no channel information: expected bits to enumerate, got {spec.latents.kind} latents "
            "(the linear probe still serves)"
        )
    if spec.observation.noise > 0:
        return (
            "no channel information: expected noise-free observations, of which a readout is a "
            f"function, got noise {spec.observation.noise:g} (the linear probe still serves)"
        )
    n_bits = spec.block_sizes[0] + max(spec.block_sizes[1:])
    if 2**n_bits > max_codewords:
        return (
            f"no channel information: expected at most {max_codewords} codewords of a modality, "
            f"got 2^{n_bits} = {2**n_bits} (the linear probe still serves)"
        )
    return None


def channel_rows(
    codes: Mapping[str, ReadoutCode | None],
    labelled: Sequence[Dataset],
    spec: ChannelSpec,
    *,
    device: torch.device | str = "cpu",
) -> list[tuple[list[CapturedRow], list[str]]]:
    """Rows of each labelled data set: blocks, parts, bits and the label of every readout.

    A readout that has a part of each modality also has ``label_shared``, ``label_unique1`` and
    ``label_unique2``: S, U1 and U2 of those parts about the label. The estimator is ``channel`` at
    the first noise of ``spec`` and ``channel@TAU`` at each further one.

    Args:
        codes: the readouts' codewords; None for one with too many.
        labelled: data sets that are equal but for their labels.
        spec: noise and errors.
        device: where to compute.

    Returns:
        For each data set its rows, and one line for each thing that could not be measured.

    Raises:
        ValueError: for codewords that are not finite.
    """
    world = labelled[0].spec
    # A block's relevant part is another one for another label.
    parts = {q.columns for dataset in labelled for q in quantities(dataset.spec)}
    bits: dict[str, Group] = {
        **{q.name: q.columns for q in quantities(world) if q.name in BLOCKS},
        **{str(columns): columns for columns in sorted(parts)},
    }
    labels: dict[str, Group] = {
        _label(place): label_channel(dataset.spec)
        for place, dataset in enumerate(labelled)
        if sum(dataset.spec.relevant) <= MAX_RELEVANT_BITS
    }
    known = {name: code for name, code in codes.items() if code is not None}
    rows: list[list[CapturedRow]] = [[] for _ in labelled]
    for estimator, tau in spec.estimators.items():
        # Blocks alone steer the draws: no run's numbers depend on the labels beside it.
        found = readout_information(
            known,
            {**bits, **labels},
            world,
            tau=tau,
            target_bits=spec.target_bits,
            targets=BLOCKS,
            max_draws=spec.max_draws,
            seed=labelled[0].seed,
            device=device,
        )
        for name, code in known.items():
            modalities = tuple(sorted({m for part in code.modalities for m in part}))
            for place, dataset in enumerate(labelled):
                rows[place] += [
                    _row(name, quantity, estimator, value, true_bits)
                    for quantity, value, true_bits in [
                        *_latent_values(*found[name], dataset.spec, modalities),
                        *_label_values(*found[name], dataset, _label(place), modalities),
                    ]
                ]
    fused = [f"the readout {name}" for name in codes if name not in known]
    return [
        (rows[place], [_too_many(what) for what in (*fused, *_large_label(dataset))])
        for place, dataset in enumerate(labelled)
    ]


def readout_information(
    codes: Mapping[str, ReadoutCode],
    groups: Mapping[str, Group],
    world: WorldSpec,
    *,
    tau: float,
    target_bits: float,
    targets: Iterable[str],
    max_draws: int,
    seed: int,
    device: torch.device | str = "cpu",
) -> dict[str, tuple[ChannelInformation, Readers]]:
    """Channel information of every readout: what was found, and which of its representations the
    readout is.

    Args:
        codes: the readouts' codewords.
        groups: as ``channel_information``, like all others below.
        world: the world that the words are of.
        tau: the noise.
        target_bits: largest standard error.
        targets: whose errors count for that.
        max_draws: most draws.
        seed: of the draws.
        device: where to compute.

    Raises:
        ValueError: for codewords that are not finite.
    """
    targets = tuple(targets)
    books = {name: _books(code, world) for name, code in codes.items()}
    found: dict[str, tuple[ChannelInformation, Readers]] = {}
    # Readouts of two parts first: the parts are often readouts of their own.
    for name in sorted(codes, key=lambda name: -len(books[name])):
        if name in found:
            continue
        information = channel_information(
            books[name],
            groups,
            tau=tau,
            target_bits=target_bits,
            targets=targets,
            max_draws=max_draws,
            seed=seed,
            device=device,
        )
        found[name] = information, tuple(range(1, len(books[name]) + 1))
        for reader, pieces in enumerate(codes[name].pieces, 1):
            if len(pieces) == 1:
                found.setdefault(next(iter(pieces)), (information, (reader,)))
    return found


def _books(code: ReadoutCode, spec: WorldSpec) -> list[Codebook]:
    """A codebook for each part of a readout."""
    columns = word_columns(spec)
    books = []
    for modalities, level in zip(code.modalities, code.levels(), strict=True):
        heard, own = bool(level.any()), columns[modalities]
        books.append(codebook(level, own) if heard else silent_codebook(own, level.shape[1]))
    return books


def _latent_values(
    found: ChannelInformation, of: Readers, spec: WorldSpec, modalities: tuple[int, ...]
) -> list[tuple[str, ChannelBits, float]]:
    """(quantity, value, all there is) of blocks, parts and bits."""
    return [
        (
            quantity.name,
            found.information(quantity.columns, of=of),
            float(len(quantity.columns)) if set(modalities) & set(quantity.modalities) else 0.0,
        )
        for quantity in quantities(spec)
    ]


def _label_values(
    found: ChannelInformation,
    of: Readers,
    dataset: Dataset,
    label: str,
    modalities: tuple[int, ...],
) -> list[tuple[str, ChannelBits, float]]:
    """(quantity, value, all there is) of the label, and of S, U1 and U2 of two parts."""
    if label not in found.groups:
        return []
    truth = dataset.truth
    total = {(1,): truth.x1_label_bits, (2,): truth.x2_label_bits, (1, 2): truth.total_bits}
    values = [("label", found.information(label, of=of), total[modalities])]
    if len(of) == 2:
        parts = decompose(found, label)
        values += [
            ("label_shared", parts.shared, truth.shared_bits),
            ("label_unique1", parts.unique1, truth.unique1_bits),
            ("label_unique2", parts.unique2, truth.unique2_bits),
        ]
    return values


def _row(
    readout: str, quantity: str, estimator: str, value: ChannelBits, true_bits: float
) -> CapturedRow:
    half = _Z * value.standard_error_bits
    return CapturedRow(
        readout=readout,
        quantity=quantity,
        estimator=estimator,
        bound="exact",
        value_bits=value.value_bits,
        low_bits=value.value_bits - half,
        high_bits=value.value_bits + half,
        true_bits=true_bits,
        ceiling_bits=value.ceiling_bits,
        n_eval=value.n_draws,
    )


def _label(place: int) -> str:
    return f"label {place}"


def _large_label(dataset: Dataset) -> list[str]:
    n_bits = sum(dataset.spec.relevant)
    return [f"a label of {n_bits} relevant bits"] if n_bits > MAX_RELEVANT_BITS else []


def _too_many(what: str) -> str:
    return (
        f"no channel information of {what}: expected fewer words to enumerate "
        "(the linear probe still serves)"
    )
