"""Exact numbers of the worlds, by unique ratio, as the runs carry them."""

from typing import Any

import pandas as pd

from fctestbed.plotting.facts import finite_number, json_object
from fctestbed.results import Results


def exact_by_ratio(results: Results, key: str) -> pd.Series:
    """One exact number of the truth against the ratio.

    Args:
        results: the rows; unfinished runs count too, since their world is known.
        key: the number's name in the truth, ``total_bits`` for instance.

    Returns:
        The mean over the runs of each ratio, indexed by ``unique_ratio``, ascending, in the key's
        unit. Ratios without a finite number are absent; empty if no run knows the key.
    """
    values = [finite_number(truth.get(key)) for truth in _truths(results)]
    table = pd.DataFrame({"unique_ratio": results.runs["unique_ratio"].to_numpy(), key: values})
    return table.dropna().groupby("unique_ratio")[key].mean()


def relevant_latents(results: Results) -> set[str]:
    """Names of the latent bits that the label reads (``w_s[0]``), as far as the truth tells."""
    names: set[str] = set()
    for truth in _truths(results):
        listed = truth.get("relevant_latents")
        if isinstance(listed, list):
            names.update(str(name) for name in listed)
    return names


def _truths(results: Results) -> list[dict[str, Any]]:
    parsed: dict[str, dict[str, Any]] = {}
    for text in results.runs["truth"]:
        if text not in parsed:
            parsed[text] = json_object(text)
    return [parsed[text] for text in results.runs["truth"]]
