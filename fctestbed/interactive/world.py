"""A world by the names of its options: its exact truth as a table, and samples.

May import numpy, pandas and ``fctestbed.synthesis``.
"""

from typing import Any

import pandas as pd

from fctestbed.interactive.samples import Samples
from fctestbed.interactive.tables import html_table, text_table
from fctestbed.synthesis import (
    Dataset,
    Truth,
    WorldSpec,
    draw_samples,
    make_dataset,
    nested_values,
    world_options,
    world_truth,
)

_DEFAULT_RATIO = 0.5
_ROWS = (
    ("I(X1,X2;Y), the label's bits", "total_bits"),
    ("S, shared", "shared_bits"),
    ("U1, unique to modality 1", "unique1_bits"),
    ("U2, unique to modality 2", "unique2_bits"),
    ("I(X1;Y)", "x1_label_bits"),
    ("I(X2;Y)", "x2_label_bits"),
    ("H(Y)", "label_entropy_bits"),
    ("I(X1;X2)", "x1_x2_bits"),
    ("H(w_s), shared block", "w_s_bits"),
    ("H(w_1), block of modality 1", "w_1_bits"),
    ("H(w_2), block of modality 2", "w_2_bits"),
)
_ACCURACIES = (
    ("best accuracy from both", "bayes_accuracy"),
    ("best accuracy from modality 1", "bayes_accuracy_x1"),
    ("best accuracy from modality 2", "bayes_accuracy_x2"),
    ("most frequent class", "majority_accuracy"),
)


class TruthTable:
    """A world's exact information; prints as a table, in a notebook as an HTML table.

    All numbers of ``Truth`` are attributes: ``table.shared_bits``, ``table.pid``.

    Args:
        truth: the record of ``world_truth``.
    """

    def __init__(self, truth: Truth) -> None:
        self.record = truth

    def __getattr__(self, name: str) -> Any:
        # The record itself is looked up before it is set when an object is unpickled.
        if name == "record":
            raise AttributeError(name)
        return getattr(self.record, name)

    @property
    def frame(self) -> pd.DataFrame:
        """Columns ``quantity``, ``value`` and ``unit`` (bits, or a probability)."""
        rows = [(text, getattr(self.record, name), "bits") for text, name in _ROWS]
        if self.record.pid is not None:
            pid = self.record.pid
            rows += [
                ("PID: redundancy", pid.redundancy_bits, "bits"),
                ("PID: unique to modality 1", pid.unique1_bits, "bits"),
                ("PID: unique to modality 2", pid.unique2_bits, "bits"),
                ("PID: synergy", pid.synergy_bits, "bits"),
            ]
        rows += [(text, getattr(self.record, name), "probability") for text, name in _ACCURACIES]
        return pd.DataFrame(rows, columns=["quantity", "value", "unit"])

    @property
    def notes(self) -> tuple[str, ...]:
        """What limits these numbers."""
        return tuple(note for note in (self.record.note, self.record.pid_note) if note)

    def __repr__(self) -> str:
        return text_table(self.frame, self.notes)

    def _repr_html_(self) -> str:
        return html_table(self.frame, "The world's exact information", self.notes)


class World:
    """A two-modality world whose information is known exactly.

    ``World(0.3)``, ``World(unique_ratio=0.3, shared=4, unique=4, label="planar")``.

    Args:
        unique_ratio: the share of the label's information that is unique, from 0 to 1.
        seed: of the observation maps and the samples, a whole number in [0, 2^63).
        **options: the options of ``fctestbed truth``, with underscores: ``shared``, ``unique``,
            ``label``, ``label_bits``, ``latents``, ``observation``, ``noise``, ``n_train``, ...

    Attributes:
        spec: the specification, as sweeps use it.
        seed: the seed.

    Raises:
        ValueError: one line that names the option, for an unknown one or an impossible value.
    """

    def __init__(
        self, unique_ratio: float = _DEFAULT_RATIO, *, seed: int = 0, **options: Any
    ) -> None:
        self.spec = WorldSpec.model_validate(world_values(unique_ratio, options))
        self.seed = seed
        # The seed is checked here; maps are drawn when they are needed.
        draw_samples(self.spec, seed, 0, "seed")

    @property
    def truth(self) -> TruthTable:
        """The exact information of the world, in bits; it does not depend on the seed."""
        return TruthTable(world_truth(self.spec))

    def sample(self, n: int, *, name: str = "sample") -> Samples:
        """Fresh samples.

        Args:
            n: how many.
            name: of the stream of random numbers: another name gives other samples. The splits of
                ``dataset`` have the names ``train`` and ``test``.

        Raises:
            ValueError: one line, for no whole number of at least 0, no name, or more samples than
                fit into memory.
        """
        return Samples(draw_samples(self.spec, self.seed, n, name))

    def dataset(self) -> Dataset:
        """The training and test samples on which sweeps train and measure, with their file form."""
        return make_dataset(self.spec, self.seed)

    def __repr__(self) -> str:
        spec = self.spec
        blocks = ", ".join(map(str, spec.block_sizes))
        return (
            f"World(unique ratio {spec.label.unique_ratio:g}, label {spec.label.kind}, "
            f"latents {spec.latents.kind} ({blocks} in w_s, w_1, w_2), "
            f"observation {spec.observation.kind} of {spec.dims[0]} + {spec.dims[1]} dims, "
            f"seed {self.seed})"
        )

    def _repr_html_(self) -> str:
        return html_table(self.truth.frame, repr(self), self.truth.notes)


def world_values(unique_ratio: object, options: dict[str, Any]) -> dict[str, Any]:
    """Nested values of a world from a ratio and options by name.

    Raises:
        ValueError: one line, for an unknown option.
    """
    known = [option.name for option in world_options()]
    for name in options:
        if name not in known:
            raise ValueError(f"{name}: expected an option of a world ({', '.join(known)})")
    values = nested_values(options)
    label = dict(values.get("label", {}))
    values["label"] = {"kind": "bits", **label, "unique_ratio": unique_ratio}
    return values
