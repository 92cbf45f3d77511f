"""Canonical correlations and partial least squares, measured: python examples/scikit_learn.py

They find linear directions that the modalities share.
"""

from sklearn.cross_decomposition import CCA, PLSCanonical

from fctestbed import WorldSpec, make_dataset, measure

MODELS = {"CCA": CCA, "PLS": PLSCanonical}


def measured(data, kind, n_components=6, n_fit=4096, **how):
    """The measurement of one of ``MODELS``; further arguments are those of ``measure``."""
    x1, x2 = data.train.x1[:n_fit], data.train.x2[:n_fit]
    model = MODELS[kind](n_components=n_components).fit(x1, x2)
    mean1, mean2 = x1.mean(0), x2.mean(0)
    # The rotations map each modality by itself; transform would ask for both.
    return measure(
        data,
        lambda x: (x - mean1) @ model.x_rotations_,
        lambda x: (x - mean2) @ model.y_rotations_,
        name=kind,
        **how,
    )


if __name__ == "__main__":
    dataset = make_dataset(WorldSpec().with_ratio(0.5), seed=0)
    for kind in MODELS:
        print(measured(dataset, kind).page())
