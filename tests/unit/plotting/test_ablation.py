from dataclasses import replace

import numpy as np
import pytest
from drawings import drawing_of
from synthetic_results import (
    LADDER,
    as_results,
    at_width,
    departing,
    record,
    records,
    relabelled,
)

from fctestbed.objectives import TERMS as METHOD_TERMS
from fctestbed.plotting import NothingToDraw, tables
from fctestbed.plotting.figures.ablation import TERMS
from fctestbed.plotting.style import PAGE_INCHES
from fctestbed.plotting.table import CHECK

RATIOS = (0.0, 0.5, 1.0)


def drawn(results, **options):
    return drawing_of("ablation", results, **options)


def texts(drawing):
    (axes,) = drawing.figure.axes
    return [text.get_text() for text in axes.texts]


@pytest.fixture(scope="module")
def ladder():
    return as_results([at_width(run, 16, 0.5) for run in records(RATIOS, LADDER)])


def test_rows_are_the_papers_ladder_then_rivals_then_controls(ladder):
    methods = list(drawn(ladder).numbers["method"])
    assert methods[:5] == ["simclr", "cross-self", "cross-self-fact", "ourcl-ssl", "factorcl-ssl"]
    supervised = methods.index("supcon")
    assert methods[supervised : supervised + 3] == ["supcon", "ourcl-sup", "factorcl-sup"]
    assert methods[-3:] == ["supervised", "untrained", "raw"]
    assert set(methods) == set(LADDER)


def test_check_marks_are_the_terms_of_each_loss(ladder):
    drawing = drawn(ladder)
    marks = drawing.numbers.set_index("method")[list(TERMS)]
    assert list(marks.loc["factorcl-ssl"]) == [1, 1, 1, 1, 1]
    assert list(marks.loc["simclr"]) == [1, 0, 0, 0, 0]
    assert list(marks.loc["raw"]) == [0, 0, 0, 0, 0]
    assert texts(drawing).count(CHECK) == marks.to_numpy().sum()
    simclr = next(line for line in drawing.markdown.splitlines() if line.startswith("| SimCLR "))
    assert simclr.count(CHECK) == 1


def test_a_rule_parts_ssl_sup_and_controls():
    (axes,) = drawn(as_results(records((0.0,), LADDER, (0, 1)))).figure.axes
    # Above and below the head, at the foot, and two between the three parts.
    assert len(axes.lines) == 3 + 2


def test_values_are_means_over_ratios_within_seeds(ladder):
    rows = ladder.captured
    rows = rows[(rows["method"] == "comm") & (rows["readout"] == "joint")]
    by_seed = rows[rows["quantity"] == "label"].groupby("seed")["value_bits"].mean()
    numbers = drawn(ladder).numbers.set_index("method").loc["comm"]
    assert numbers["unique_ratio"] == "mean"
    assert numbers["label_bits"] == pytest.approx(by_seed.mean())
    # Tables give t(0.975, 2) = 4.302653.
    half = 4.302653 * by_seed.std() / np.sqrt(3)
    assert numbers["label_bits_high"] - numbers["label_bits"] == pytest.approx(half, rel=1e-6)
    unique = rows[rows["quantity"].isin(["unique1", "unique2"])].groupby(["unique_ratio", "seed"])
    assert numbers["unique_bits"] == pytest.approx(unique["value_bits"].sum().mean())


def test_one_ratio_can_be_asked_for_and_the_caption_says_which(ladder):
    drawing = drawn(ladder, table_ratio=0.4)
    rows = ladder.captured
    label = rows[
        (rows["method"] == "comm")
        & (rows["readout"] == "joint")
        & (rows["quantity"] == "label")
        & (rows["unique_ratio"] == 0.5)
    ]
    numbers = drawing.numbers.set_index("method").loc["comm"]
    assert numbers["label_bits"] == pytest.approx(label["value_bits"].mean())
    assert "unique ratio 0.5;" in drawing.markdown
    assert "mean over 3 unique ratios from 0 to 1;" in drawn(ladder).markdown


def test_the_caption_has_all_there_is(ladder):
    caption = " ".join(texts(drawn(ladder))[-1].split())
    assert "label 2.00 bits" in caption
    assert "shared block 6 bits" in caption
    assert "unique blocks 12 bits" in caption
    # 0.55 in the middle, 0.725 at either end.
    assert "Bayes accuracy 66.7 %" in caption


def test_equal_width_stands_beside_the_full_readout(ladder):
    drawing = drawn(ladder)
    numbers = drawing.numbers
    np.testing.assert_allclose(numbers["label_bits_at_16"], 0.5 * numbers["label_bits"])
    np.testing.assert_allclose(numbers["accuracy_at_16"], 0.5 * numbers["accuracy"])
    assert "label\n16-d (bits)" in texts(drawing)
    assert "16-d: the joint readout reduced to 16 dimensions" in drawing.markdown


def test_without_equal_width_its_columns_are_left_out():
    drawing = drawn(as_results(records(RATIOS, ("simclr", "raw"))))
    assert not [name for name in drawing.numbers if "_at_" in name]
    assert not [text for text in texts(drawing) if "-d" in text]


def test_a_seed_that_lacks_a_ratio_is_left_out_of_the_mean_over_ratios():
    lost = {("simclr", 0.5, 1)}
    drawing = drawn(as_results(records(RATIOS, ("simclr", "supcon"), unfinished=lost)))
    counts = drawing.numbers.set_index("method")["label_bits_n_seeds"]
    assert counts.to_dict() == {"simclr": 2, "supcon": 3}
    assert "over 2 to 3 seeds; 1 unfinished run left out" in drawing.markdown


def test_terms_that_the_paper_does_not_have_get_a_column():
    run = record("comm", 0.5, 0)
    run = departing(run, "paper", {})
    run = type(run)(**{**vars(run), "diagnostics": {"terms": ["(X1;X2)", "fused"]}})
    numbers = drawn(as_results([run])).numbers
    assert list(numbers.columns[3:9]) == [*TERMS, "fused"]
    assert numbers["fused"][0] == 1


def test_an_unknown_method_stands_before_the_controls():
    runs = records((0.5,), ("supcon", "raw"), (0,))
    plugin = record("supcon", 0.5, 7)
    plugin = type(plugin)(**{**vars(plugin), "run_id": "mine", "method": "mine"})
    numbers = drawn(as_results([*runs, plugin])).numbers
    assert list(numbers["method"]) == ["supcon", "mine", "raw"]


def test_rows_that_tell_no_terms_make_no_table():
    silent = relabelled(as_results(records((0.5,), ("simclr",))), diagnostics="{}")
    with pytest.raises(NothingToDraw, match=r"expected rows of label bits and loss terms from"):
        drawn(silent)


def test_long_labels_shrink_the_text_and_stay_on_the_page(ladder):
    name = "a variant with a name that is much longer than any that a table can hold in full"
    runs = [departing(run, name, {}) for run in records((0.5,), LADDER[:3], (0, 1))]
    figure = drawn(as_results(runs)).figure
    figure.draw_without_rendering()
    assert figure.get_figwidth() == PAGE_INCHES
    for text in figure.axes[0].texts:
        extent = text.get_window_extent()
        assert extent.x0 >= figure.bbox.x0
        assert extent.x1 <= figure.bbox.x1


def test_the_papers_tables_are_texts_by_name():
    found = tables(as_results(records((0.0,), ("simclr", "factorcl-sup"), (0, 1))))
    assert {"ablation", "readouts"} <= set(found)
    assert "| SimCLR |" in found["ablation"]


def test_results_without_a_finished_run_have_no_table(ladder):
    none = replace(ladder, captured=ladder.captured.iloc[:0], runs=ladder.runs.iloc[:0])
    with pytest.raises(ValueError, match=r"results: expected finished runs for a table, got none"):
        tables(none)


def test_columns_of_terms_are_the_terms_that_methods_may_have():
    assert TERMS == METHOD_TERMS
