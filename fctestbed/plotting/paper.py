"""Numbers of the FactorCL paper that a table of ours stands beside."""

PAPER_READOUT_NATS: dict[tuple[str, str], tuple[float, float, float]] = {
    ("simclr", "z1"): (4.45, 0.17, 12.61),
    ("simclr", "z2"): (0.16, 3.92, 12.06),
    ("cross-self", "z1"): (4.39, 0.13, 11.30),
    ("cross-self", "z2"): (0.14, 4.26, 11.47),
    ("supcon", "z1"): (5.17, 0.23, 7.48),
    ("supcon", "z2"): (0.19, 5.17, 7.17),
    ("factorcl", "z_u1"): (7.83, 0.06, 9.47),
    ("factorcl", "z_u2"): (0.03, 7.17, 9.89),
    ("factorcl", "z_s1"): (6.25, 0.05, 10.13),
    ("factorcl", "z_s2"): (0.04, 5.79, 9.40),
}
"""I(Z;w1), I(Z;w2), I(Z;ws) by readout: Liang et al. (2023), arXiv 2306.05268v2, Table 1.

The paper calls them bits; its code takes natural logarithms, so they are nats, of a neural estimate
that cannot say more than 19.4 nats. Its latents are continuous and reach the inputs without noise,
so that the true values are infinite: patterns can be compared with exact worlds', values cannot.
Whether FactorCL is SUP or SSL there, at which label, and how far seeds differ is not stated."""

PAPER_READOUT_NOTE = (
    "Paper: Liang et al. 2023, Table 1, there called bits but nats by its code; a neural estimate "
    "with a ceiling, of continuous latents whose true information is infinite: compare patterns, "
    "not values. It does not say whether its FactorCL is SUP or SSL, so its numbers stand at both"
)
"""The same for a caption."""
