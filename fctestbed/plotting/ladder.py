"""The order of methods in tables: the rungs of the paper's ladder, then what stands beside them."""

from fctestbed.plotting.style import method_order

LADDER: dict[str, tuple[str, ...]] = {
    "SSL": (
        "simclr",
        "cross-self",
        "cross-self-fact",
        "ourcl-ssl",
        "factorcl-ssl",
        "unimodal-ssl",
        "comm",
        "focal",
        "disentangled-ssl",
    ),
    "SUP": ("supcon", "ourcl-sup", "factorcl-sup", "unimodal-sup"),
    "other": (),
    "control": ("supervised", "untrained", "raw"),
}
"""Self-supervised and supervised rungs (the FactorCL paper's Table 2, its two unimodal losses and
the rivals since), methods that this list does not know, controls."""


def group_of(method: str) -> str:
    """The part of the ladder that a method belongs to; ``other`` for an unknown one."""
    return next((group for group, known in LADDER.items() if method in known), "other")


def ladder_order(method: str) -> tuple[int, int, tuple[int, str]]:
    """A sort key: part of the ladder, rung, and for unknown methods their name."""
    group = group_of(method)
    known = LADDER[group]
    rung = known.index(method) if method in known else 0
    return list(LADDER).index(group), rung, method_order(method)
