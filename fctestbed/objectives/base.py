"""The interface of methods: build the networks, compute the loss on a batch, return the readouts.

Training, measurement and plug-ins use this interface. May import ``fctestbed.nets`` and
``fctestbed.objectives.groups``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from jaxtyping import Float, Int
from pydantic import Field, PositiveInt, field_validator, model_serializer, model_validator
from torch import Tensor, nn

from fctestbed._plugins import is_import_path
from fctestbed._records import Record
from fctestbed.nets import LEAST_TEMPERATURE, Critic, CriticKind, Stack
from fctestbed.objectives.groups import Groups

JOINT = "joint"
"""The readout of both modalities together. ``fctestbed.results`` has the same name for its rows;
objectives may not import results."""

CROSS_MODAL_TERM = "(X1;X2)"
UNIMODAL_TERM = "(Xi;Xi')"
CONDITIONAL_TERM = "(X1;X2|Y)"
UNIQUE_VIEWS = "(X2'')"
FACTORISED_READOUT = "Fact"
TERMS = (CROSS_MODAL_TERM, UNIMODAL_TERM, CONDITIONAL_TERM, UNIQUE_VIEWS, FACTORISED_READOUT)
"""Columns of the FactorCL paper's Table 2: the cross-modal term, the unimodal terms, the
conditional terms, augmentations for the unique information, and factorised readouts."""

MLP_ENCODER, TABLE_ENCODER = "mlp", "table"
"""The encoders that come with this package."""

Width = Annotated[int, Field(gt=0)]


class MethodSettings(Record):
    """Settings of a method: a frozen record that rejects unknown keys.

    A method without settings uses this class itself. Every way to make one raises ``InvalidSpec``,
    a ``ValueError`` of one line, for fields that it cannot have.
    """


class CriticSettings(MethodSettings):
    """Settings of a method that scores pairs.

    Attributes:
        critic: ``concat`` (an MLP on both arguments), ``separable`` (an inner product of two
            MLPs), ``bilinear`` or ``cosine``.
        temperature: divisor of the cosine critic's similarities; the other critics have none.
        learn_temperature: whether each cosine critic trains its own, from ``temperature`` on, as
            CLIP does. False is not written out, so that it does not change the identity of runs.
    """

    critic: CriticKind = "concat"
    temperature: Annotated[float, Field(gt=0)] = 0.1
    learn_temperature: bool = False

    @model_validator(mode="after")
    def _can_learn(self) -> "CriticSettings":
        if not self.learn_temperature:
            return self
        if self.critic != "cosine":
            raise ValueError(
                f"learn_temperature: expected false with the critic {self.critic}, which has no "
                "temperature, got true"
            )
        if self.temperature < LEAST_TEMPERATURE:
            raise ValueError(
                f"temperature: expected at least {LEAST_TEMPERATURE} where it is learned, got "
                f"{self.temperature:g}"
            )
        return self

    @model_serializer(mode="wrap")
    def _without_false(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        content = handler(self)
        if not self.learn_temperature:
            content.pop("learn_temperature")
        return content


class NetSpec(MethodSettings):
    """Widths of encoders, heads and critics, the same for every method of a sweep.

    An encoder is ``dim -> encoder_hidden -> embed_dim``, a head ``embed_dim -> head_hidden ->
    head_dim``, a concat critic ``2 head_dim -> critic_hidden -> 1``, each with ReLU between its
    linear layers.

    Attributes:
        encoder_hidden: widths of the hidden layers of both encoders.
        embed_dim: width of the representation of each modality.
        head_hidden: widths of the hidden layers of projection heads.
        head_dim: width of projections.
        critic_hidden: widths of the hidden layers of critics that are MLPs.
        encoder: ``mlp``; ``table``, one free vector for every input pattern of a world whose
            observation is its bits; or a module of a user's own, ``package.module:ClassName``,
            constructed as ``ClassName(dim, embed_dim)``. ``mlp`` is not written out, so that it
            does not change the identity of runs.
    """

    encoder_hidden: tuple[Width, ...] = (64, 64)
    embed_dim: PositiveInt = 8
    head_hidden: tuple[Width, ...] = (64,)
    head_dim: PositiveInt = 16
    critic_hidden: Annotated[tuple[Width, ...], Field(min_length=1)] = (64,)
    encoder: str = MLP_ENCODER

    @field_validator("encoder")
    @classmethod
    def _is_a_choice(cls, value: str) -> str:
        if value not in (MLP_ENCODER, TABLE_ENCODER) and not is_import_path(value):
            raise ValueError(
                f"expected {MLP_ENCODER}, {TABLE_ENCODER} or an import path "
                f"package.module:ClassName, got {value!r}"
            )
        return value

    @model_serializer(mode="wrap")
    def _without_mlp(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        content = handler(self)
        if self.encoder == MLP_ENCODER:
            content.pop("encoder")
        return content


EncoderMaker = Callable[[int, int], nn.Module]
"""Makes an encoder of one run by (dim, embed_dim): a module from [n, dim] to [n, embed_dim]."""


@dataclass(frozen=True, kw_only=True)
class DataShape:
    """Widths of the two modalities and number of classes of the label.

    Attributes:
        dim1: width of modality 1.
        dim2: width of modality 2.
        n_classes: classes of the label.
        encoder1: what makes modality 1's encoder in the place of ``nets.encoder``, where it depends
            on more than widths: a row may be a sequence of time steps. None where it does not.
        encoder2: likewise of modality 2.
    """

    dim1: int
    dim2: int
    n_classes: int
    encoder1: EncoderMaker | None = None
    encoder2: EncoderMaker | None = None

    @property
    def modalities(self) -> tuple[tuple[int, EncoderMaker | None], ...]:
        """Width of each modality, and what makes its encoder."""
        return (self.dim1, self.encoder1), (self.dim2, self.encoder2)


@dataclass(frozen=True, kw_only=True)
class Views:
    """Augmented copies of a batch's two modalities."""

    x1: Float[Tensor, "stack n dim1"]
    x2: Float[Tensor, "stack n dim2"]


@dataclass(frozen=True, kw_only=True)
class LossMarks:
    """Values of a loss term at which a run's record warns of it.

    Attributes:
        constant: its value if all features or scores are equal: a term that ends there has learnt
            nothing, or has collapsed. None if it has no such value.
        limit: its least possible value (-log N for InfoNCE): a term that ends there no longer
            depends on the amount of information. None if it has no such value.
    """

    constant: float | None = None
    limit: float | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One batch for each run of a stack.

    Attributes:
        x1: first modality, [stack, n, dim1].
        x2: second modality, [stack, n, dim2].
        y: labels, [stack, n].
        views: augmented copies, ``n_views`` of them, drawn independently.
        groups: pairs that share the label, or the condition of the first views, for methods that
            condition on it.
        x2_negatives: fresh draws of the second modality given the first views, [stack, n, k, dim2],
            for methods that condition on them exactly.
    """

    x1: Float[Tensor, "stack n dim1"]
    x2: Float[Tensor, "stack n dim2"]
    y: Int[Tensor, "stack n"]
    views: tuple[Views, ...] = ()
    groups: Groups | None = None
    x2_negatives: Float[Tensor, "stack n k dim2"] | None = None


def modalities_of(readout: str) -> tuple[int, ...]:
    """The modalities of a readout by its name: that of its last digit, 1 or 2, else both."""
    return (int(readout[-1]),) if readout[-1] in "12" else (1, 2)


class Method(ABC):
    """A way to learn representations of two modalities, for a stack of runs at once.

    A subclass must define ``build`` and ``readouts``, and ``loss`` unless it is not trained.
    Everything else has a default. Instances have no state except their settings: parameters are in
    the module that ``build`` returns. The first axis of every tensor is the stack of runs, and no
    operation may mix runs.

    On a CUDA device a step is captured as a graph and repeated, unless ``loss`` reads values of
    tensors, which no graph can hold. What changes from step to step has to be in tensors.
    """

    Settings: ClassVar[type[MethodSettings]] = MethodSettings
    """The record of its settings."""
    trained: ClassVar[bool] = True
    """Whether it is trained. A method that is not has no ``loss``."""
    uses_nets: ClassVar[bool] = True
    """Whether it has networks, whose widths a ``NetSpec`` sets."""
    uses_label: ClassVar[bool] = False
    """Whether the loss uses ``batch.y``. If not, runs that differ only in the label share one
    training."""
    n_views: ClassVar[int] = 0
    """How many augmented copies of each sample the loss uses from ``batch.views``."""
    has_inner_loop: ClassVar[bool] = False
    """Whether ``inner_loss`` trains the parameters under ``inner``. Its settings must then include
    ``inner_steps``, ``inner_rate`` and ``inner_batch`` (as in ``FactorCLSettings``)."""
    relative_cost: ClassVar[float] = 1.0
    """Time of one training step relative to ``supervised``: it sets the order of work and the
    estimate of the remaining time."""

    trains_as: ClassVar[str | None] = None
    """The registered method whose training this one shares: only the readouts differ."""
    terms: ClassVar[tuple[str, ...]] = ()
    """The terms of the loss by the columns of the paper's Table 2 (``TERMS``), for the figure of
    that table."""
    fused: ClassVar[frozenset[str]] = frozenset()
    """Readouts that ``readouts`` computes from both modalities together. Without ``joint`` among
    them, the joint readout is composed of others (``joint_parts``)."""
    departures: ClassVar[Mapping[str, Any]] = {}
    """The settings in which the official code departs from the paper's equations, with the official
    values: ``--variant official`` sets them."""

    def __init__(self, settings: MethodSettings | None = None) -> None:
        self.settings: Any = self.Settings() if settings is None else settings

    @property
    def conditions_on(self) -> str | None:
        """The condition that the negatives of conditional terms share with their anchor.

        ``label``, or ``views`` (what the first views reveal of the originals): ``batch.groups`` has
        the pairs that share it. ``exact``: ``batch.x2_negatives`` has fresh draws given the views.
        None: no condition.
        """
        return None

    @property
    def n_negatives(self) -> int:
        """Fresh draws for each anchor, if ``conditions_on`` is ``exact``."""
        return 0

    @abstractmethod
    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """A module with the parameters of every run; those of the inner loop are under
        ``inner``."""

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """Terms of the loss to minimise, in nats, one number per run each; their sum is the
        loss."""
        raise TypeError(f"{type(self).__name__} has no loss: it is not trained")

    def inner_loss(self, module: nn.Module, batch: Batch) -> Float[Tensor, " stack"]:
        """Loss of the inner loop's parameters on a batch, in nats; only they receive a gradient."""
        raise TypeError(f"{type(self).__name__} has no inner loop")

    @abstractmethod
    def readouts(
        self, module: nn.Module, x1: Tensor, x2: Tensor
    ) -> dict[str, Float[Tensor, "stack n dim"]]:
        """The named arrays that are measured, each [stack, n, width]. ``joint`` is among them only
        where it is ``fused``: otherwise it is composed of its parts."""

    def reads(self, readout: str) -> tuple[int, ...]:
        """The modalities (1, 2) that a readout is computed from, by its name."""
        return modalities_of(readout)

    def joint_parts(self, readouts: Iterable[str]) -> tuple[str, ...]:
        """The readouts whose concatenation, in this order, is ``joint``: all of ``readouts`` that
        read one modality. None where ``joint`` is fused, or a modality has no readout."""
        parts = tuple(name for name in readouts if len(self.reads(name)) == 1)
        modalities = {modality for name in parts for modality in self.reads(name)}
        return parts if modalities == {1, 2} and "joint" not in self.fused else ()

    def loss_marks(self, batch_size: int) -> Mapping[str, LossMarks]:
        """For terms of ``loss``: their values after a collapse, and at their limit."""
        return {}

    def heads(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Outputs of every head, each [stack, n, width]: a run's record warns of constant ones."""
        return {}

    def kept_parameters(self, module: nn.Module) -> tuple[str, ...]:
        """Names of the parameters and buffers that ``readouts`` and ``heads`` need. A sweep keeps
        them with its rows, so that readouts can be computed again without training.

        By default all of the module's state dictionary but what is under ``inner`` and what belongs
        to a ``Critic``; parameters that no readout reads are kept too. A method whose readouts read
        a critic, or that wants to keep less, overrides this.
        """
        left_out = tuple(
            f"{name}."
            for name, part in module.named_modules(remove_duplicate=False)
            if name == "inner" or (name and isinstance(part, Critic))
        )
        return tuple(name for name in module.state_dict() if not name.startswith(left_out))
