import numpy as np
import pytest
from drawings import drawing_of
from matplotlib.colors import to_hex
from synthetic_results import as_results, departing, record, records

from fctestbed.plotting import METHOD_STYLES, NothingToDraw, Yardstick
from fctestbed.plotting.figures.audit import paired_changes

RATIOS = (0.0, 0.5, 1.0)
ALL = {"conditioning": "batch", "contrast": "first"}
SEED_BITS = {0: -0.3, 1: -0.2, 2: -0.1}


def drawn(results, **options):
    return drawing_of("audit", results, **options)


def audit_runs(methods=("factorcl-ssl", "factorcl-sup")):
    paper = records(RATIOS, methods)
    runs = list(paper)
    for run in paper:
        lost = SEED_BITS[run.seed]
        runs += [
            departing(run, "official", ALL, {"label": 2 * lost, "unique2": -1.0}),
            departing(run, "v1", {"contrast": "first"}, {"unique1": 0.5, "unique2": 0.25}),
            departing(run, "v2", {"conditioning": "batch"}, {"label": lost + run.unique_ratio}),
        ]
    return runs


@pytest.fixture(scope="module")
def results():
    return as_results(audit_runs())


def changes(drawing, ratio="mean"):
    numbers = drawing.numbers
    numbers = numbers[(numbers["unique_ratio"] == ratio) & (numbers["method"] == "factorcl-sup")]
    return numbers.set_index(["departure", "quantity"])


def test_changes_are_differences_to_the_papers_run_of_the_same_seed(results):
    table = changes(drawn(results))
    # Mean over ratios of -0.3, -0.2, -0.1 plus the ratio, by seed: 0.2, 0.3, 0.4.
    label = table.loc[("conditioning = batch", "label")]
    assert label["change_bits"] == pytest.approx(0.3)
    # Seeds differ far more than this; pairing removes that. t(0.975, 2) = 4.302653.
    assert label["high_bits"] - 0.3 == pytest.approx(4.302653 * 0.1 / np.sqrt(3))
    assert label["n_seeds"] == 3
    assert table.loc[("contrast = first", "unique"), "change_bits"] == pytest.approx(0.75)
    assert table.loc[("contrast = first", "shared"), "change_bits"] == pytest.approx(0.0)
    assert table.loc[("official: all 2", "label"), "change_bits"] == pytest.approx(-0.4)


def test_the_numbers_have_every_ratio_too(results):
    drawing = drawn(results)
    assert set(drawing.numbers["unique_ratio"]) == {"mean", "0", "0.5", "1"}
    at_one = changes(drawing, "1").loc[("conditioning = batch", "label"), "change_bits"]
    assert at_one == pytest.approx(0.8)
    single = drawn(results, table_ratio=1.0).numbers
    assert set(single["unique_ratio"]) == {"1"}


def test_methods_stand_apart_and_official_is_the_last_of_each(results):
    drawing = drawn(results)
    ticks = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
    rows = ["conditioning = batch", "contrast = first", "official: all 2"]
    assert ticks == ["FactorCL-SUP", *rows, "FactorCL-SSL", *rows]


def test_there_is_a_panel_per_quantity_with_a_line_at_zero(results):
    panels = drawn(results).figure.axes
    assert len(panels) == 3
    for axes in panels:
        assert "(bits)" in axes.get_xlabel()
        zero = axes.lines[0]
        assert list(zero.get_xdata()) == [0, 0]
        # Six marks, and as many intervals, after the line.
        assert len(axes.lines) == 1 + 6
        assert len(axes.collections) == 6


def test_marks_are_filled_where_zero_is_outside_the_interval(results):
    (label, *_) = drawn(results).figure.axes
    filled = [to_hex(mark.get_markerfacecolor()) != "#ffffff" for mark in label.lines[1:4]]
    color = METHOD_STYLES["factorcl-sup"].color
    # 0.3 +- 0.25; no change; -0.4 +- 0.5.
    assert filled == [True, False, False]
    assert {to_hex(mark.get_color()) for mark in label.lines[1:4]} == {color}


def test_the_markdown_has_a_row_per_departure_and_bold_where_zero_is_outside(results):
    lines = drawn(results).markdown.splitlines()
    (row,) = [line for line in lines if "FactorCL-SUP | conditioning" in line]
    assert "| **+0.30 ± 0.25** | +0.00 ± 0.00 | +0.00 ± 0.00 |" in row
    (row,) = [line for line in lines if "FactorCL-SSL | official" in line]
    assert "| \N{MINUS SIGN}0.40 ± 0.50 |" in row


def test_a_setting_that_the_papers_run_has_as_well_is_no_departure():
    runs = []
    for run in records((0.5,), ("simclr",)):
        same = departing(run, "paper", {"temperature": 0.07})
        other = {"temperature": 0.07, "normalize": False}
        runs += [same, departing(run, "plain", other), departing(run, "same", same.diagnostics)]
    labels = [t.get_text() for t in drawn(as_results(runs)).figure.axes[0].get_yticklabels()]
    assert "normalize = false" in labels


def test_a_run_without_its_partner_is_left_out():
    runs = [run for run in audit_runs(("factorcl-sup",)) if run.run_id != "factorcl-sup-0.5-1"]
    results = as_results(runs)
    pairs = paired_changes(results, "label", Yardstick("linear_probe"))
    assert len(pairs) == 3 * (9 - 1)
    assert set(drawn(results).numbers.query("unique_ratio == 'mean'")["n_seeds"]) == {2}


def test_one_seed_has_changes_without_intervals():
    runs = [run for run in audit_runs() if run.seed == 0]
    drawing = drawn(as_results(runs))
    assert drawing.numbers["low_bits"].isna().all()
    assert "by chance" not in drawing.markdown


def test_a_sweep_of_the_papers_variant_alone_has_no_audit():
    for runs in (records((0.5,)), [departing(record("simclr", 0.5, 0), "free", {})]):
        with pytest.raises(NothingToDraw, match="rows of departures and the paper's variant"):
            drawn(as_results(runs))


def test_another_critic_and_augmentations_of_a_quality_have_figures_of_their_own():
    run = record("simclr", 0.5, 0)
    critic = departing(run, "cosine", {}, settings={"critic": "cosine"})
    quality = departing(run, "worse", {}, augmentation={"kind": "quality", "relevant": 0.5})
    with pytest.raises(NothingToDraw):
        drawn(as_results([run, critic, quality]))


def test_changes_that_are_not_the_official_codes_come_after_its_own():
    run = record("factorcl-ssl", 0.5, 0)
    runs = [
        run,
        departing(run, "official", ALL),
        departing(run, "views", {}, augmentation={"kind": "official"}),
        departing(run, "counting sum", {}, settings={"critic": "concat", "counting": "sum"}),
        departing(run, "v1", {"contrast": "first"}),
        departing(run, "two", {}, settings={"critic": "cosine", "counting": "sum"}),
    ]
    labels = [t.get_text() for t in drawn(as_results(runs)).figure.axes[0].get_yticklabels()]
    assert labels == [
        "FactorCL-SSL",
        "contrast = first",
        "counting = sum",
        "views = official",
        "two",
        "official: all 2",
    ]
