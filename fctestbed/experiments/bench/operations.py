"""The floating-point operations that a training step cannot do without: its matrix products.

May import ``fctestbed.objectives`` and ``fctestbed.training``.

A product with parameters counts once forward and twice backward; whatever is elementwise counts
nothing. A concat critic's first layer is done once for each argument, its further layers once for
each pair that a bound reads.
"""

from itertools import pairwise

from fctestbed.objectives import NetSpec
from fctestbed.training import TrainingSpec

_FACTORS = ("factorcl-sup", "factorcl-ssl")
_HEADS = 5


def step_operations(training: TrainingSpec) -> float | None:
    """Least operations of one step of a run; None for methods that are not counted here, and for
    fresh negatives or critics other than the default ones."""
    nets, train = training.nets, training.train
    if nets is None or train is None:
        return None
    n, shape = train.batch_size, training.data_shape
    encoders = sum(
        _products((dim, *nets.encoder_hidden, nets.embed_dim), n)
        for dim in (shape.dim1, shape.dim2)
    )
    heads = 2 * _products((nets.embed_dim, *nets.head_hidden, nets.head_dim), n)
    if training.method in ("simclr", "supcon") and training.settings["critic"] == "cosine":
        return 3 * (encoders + heads) + 3 * 2.0 * (2 * n) ** 2 * nets.head_dim
    settings = training.settings
    if (
        training.method not in _FACTORS
        or settings["critic"] != "concat"
        or settings["conditioning"] == "exact"
        or settings["inner_steps"] != 1
    ):
        return None
    classes = training.world.n_classes
    supervised = training.method == "factorcl-sup"
    views = 1 if supervised else 2
    pairs = _scores(nets, n * n)
    groups = 1 if settings["conditioning"] == "batch" else classes
    # Of n samples in even classes, an anchor shares its own with itself and (n - 1) / classes.
    within = _scores(nets, n * (1 + (n - 1) / groups))
    unimodal = 2 * (_scores(nets, n * classes) if supervised else pairs)
    condition = classes if supervised else nets.head_dim
    # Six critics, two arguments each; the two conditional ones of the loss carry the condition.
    first = 2.0 * 2 * n * nets.critic_hidden[0]
    rows, conditioned = first * nets.head_dim, first * (nets.head_dim + condition)
    projections = views * (encoders + _HEADS * heads)
    outer = projections + 2 * pairs + 2 * within + unimodal + 4 * rows + 2 * conditioned
    # The inner loss trains its critics alone: two of the five heads, forward.
    constant = (1 if supervised else views) * (encoders + 2 * heads)
    return 3 * outer + constant + 3 * (pairs + within + rows + conditioned)


def _products(dims: tuple[int, ...], n: float) -> float:
    """Forward products of a network on n rows."""
    return sum(2.0 * a * b for a, b in pairwise(dims)) * n


def _scores(nets: NetSpec, n_pairs: float) -> float:
    """Forward products of a concat critic's layers after the first, on so many pairs."""
    return _products((*nets.critic_hidden, 1), n_pairs)
