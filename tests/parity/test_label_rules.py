"""The two official label rules on the published codes' fixed inputs."""

import json
from pathlib import Path

import numpy as np
import pytest

from fctestbed.synthesis import Latents, planar_labels, relevant_latents, threshold_labels

GOLDEN = Path(__file__).parents[1] / "data" / "official_values.json"


@pytest.fixture(scope="module")
def cases():
    return {case["id"]: case for case in json.loads(GOLDEN.read_text())["cases"]}


def relevant_of(inputs):
    blocks = [np.array(inputs[name]) for name in ("w_s", "w_1", "w_2")]
    return np.concatenate(
        [block[:, :n] for block, n in zip(blocks, inputs["relevant"], strict=True)], axis=1
    )


def test_threshold_labels_are_the_official_ones(cases):
    case = cases["label_threshold"]
    given = threshold_labels(relevant_of(case["inputs"]))
    np.testing.assert_array_equal(given, case["expected"]["labels"])


def test_planar_labels_are_the_official_ones(cases):
    inputs = cases["label_planar"]["inputs"]
    matrices = (np.array(inputs[name]) for name in ("W", "b", "U", "H"))
    given = planar_labels(relevant_of(inputs), *matrices)
    np.testing.assert_array_equal(given, cases["label_planar"]["expected"]["labels"])


def test_relevant_latents_are_read_in_the_official_order(cases):
    inputs = cases["label_planar"]["inputs"]
    latents = Latents(*[np.array(inputs[name], dtype=np.float32) for name in ("w_s", "w_1", "w_2")])
    relevant = relevant_latents(latents, tuple(inputs["relevant"]))
    np.testing.assert_allclose(relevant, relevant_of(inputs), rtol=1e-6)
