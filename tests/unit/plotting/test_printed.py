"""Figures at the width at which they are printed: sizes of texts, edges, names of curves."""

from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest
from drawings import drawing_of
from matplotlib.figure import Figure
from printed import cut_texts, note_of, small_texts
from synthetic_results import LADDER, RATES, as_results, departing, records, relabelled
from synthetic_scaling import SCALED, scaled
from synthetic_scores import scored

from fctestbed.plotting import draw_figures, write
from fctestbed.plotting.captions import set_width, wrapped
from fctestbed.plotting.ends import name_ends
from fctestbed.plotting.figures import draw_overview, draw_waterfall
from fctestbed.plotting.style import COLUMN_INCHES, PAGE_INCHES, house_style
from fctestbed.plotting.table import Column, table_figure

RATIOS = (0.0, 0.5, 1.0)


def drawn(name, results, **options):
    return drawing_of(name, results, **options)


@pytest.fixture(scope="module")
def ladder():
    """All methods, with readings at rates and scores; a run that diverged."""
    grid = ((0.0, 1.0), LADDER, (0, 1), {("simclr", 0.0, 0)})
    pairs = zip(records(*grid, rates=RATES), records(*grid), strict=True)
    return as_results(
        [
            replace(run, scores=scored(plain).scores) if run.status == "ok" else run
            for run, plain in pairs
        ]
    )


@pytest.fixture(scope="module")
def few():
    return as_results(records(RATIOS, ("supcon", "simclr", "raw"), (0, 1), rates=RATES))


@pytest.mark.parametrize(
    "name", ["label_bits", "r90", "latent_bits", "ablation", "readouts", "label_free"]
)
def test_a_figure_of_all_methods_is_readable_on_a_page(ladder, name):
    figure = drawn(name, ladder).figure
    assert figure.get_figwidth() <= PAGE_INCHES
    assert not small_texts(figure)
    assert not cut_texts(figure)


@pytest.mark.parametrize("name", ["rate_curves", "latent_bits"])
def test_a_figure_of_all_methods_is_readable_in_a_column_too(ladder, name):
    figure = drawn(name, ladder, inches=COLUMN_INCHES).figure
    with house_style():
        set_width(figure, COLUMN_INCHES)
        assert figure.get_figwidth() == COLUMN_INCHES
        assert not small_texts(figure)
        assert not cut_texts(figure)


def test_exponents_and_departures_are_readable():
    runs = records((0.0, 1.0), ("factorcl-sup",), (0, 1))
    changes = {"conditioning": "batch", "contrast": "first"}
    audit = as_results([*runs, *(departing(run, "official", changes) for run in runs)])
    laws = scaled(("simclr",), (0, 1), axes={"train.steps": SCALED["train.steps"]})
    several = (("scaling", laws), ("scaling_exponents", laws), ("audit", audit))
    for figure in (drawn(name, results).figure for name, results in several):
        assert not small_texts(figure)
        assert not cut_texts(figure)


def test_small_and_cut_texts_are_found():
    figure = Figure(figsize=(2 * PAGE_INCHES, 1.0))
    figure.text(0.5, 0.5, "half of 8 points", fontsize=8)
    figure.text(0.0, 0.5, "over the edge", fontsize=14, ha="right")
    assert small_texts(figure) == ["half of 8 points"]
    assert cut_texts(figure) == ["over the edge"]


def test_few_curves_are_named_at_their_ends_in_place_of_a_legend(few):
    figure = drawn("label_bits", few).figure
    (axes,) = figure.axes
    names = [text for text in axes.texts if text.get_text()]
    labels = {line.get_label() for line in axes.lines}
    assert not figure.legends
    assert {text.get_text() for text in names} == labels
    assert "mean and 95 % interval (Student t) over 2 seeds" in note_of(figure)
    boxes = sorted((text.get_window_extent() for text in names), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(boxes))
    assert not cut_texts(figure)


def test_names_are_in_the_order_of_their_ends_and_near_them(few):
    figure = drawn("label_bits", few).figure
    (axes,) = figure.axes
    ends = {line.get_label(): line.get_ydata()[-1] for line in axes.lines}
    heights = {text.get_text(): text.get_window_extent().y0 for text in axes.texts}
    pairs = sorted((ends[name], heights[name]) for name in heights)
    assert [height for _, height in pairs] == sorted(heights.values())


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param([(1.0, 0.1 * n) for n in range(8)], id="too many"),
        pytest.param([(1.0, 0.0), (0.5, 1.0)], id="different places"),
        pytest.param([(1.0, 0.5)] * 7, id="one height"),
        pytest.param([(1.0, float("nan"))], id="no end"),
        pytest.param([], id="no line"),
    ],
)
def test_curves_whose_names_would_collide_have_a_legend(ends):
    with house_style():
        axes = Figure(figsize=(COLUMN_INCHES, 1.2), layout="constrained").subplots()
        lines = [
            axes.plot([0.0, x], [y, y], label=f"curve {n}")[0] for n, (x, y) in enumerate(ends)
        ]
        axes.set_ylim(0, 1)
        assert not name_ends(axes, lines)
        assert not axes.texts


def test_long_names_have_a_legend(few):
    long = relabelled(few, variant="a variant with a very long name")
    assert drawn("label_bits", long).figure.legends


def test_a_text_is_broken_where_a_line_is_full_and_at_its_own_breaks():
    text = "one two three\nfour " + 12 * "long"
    lines = wrapped(text, 0.6).split("\n")
    assert lines == ["one two", "three", "four", 12 * "long"]
    assert wrapped(text, 20.0) == text


def test_columns_that_do_not_fit_a_page_continue_below_the_names_of_rows():
    names = Column("method", ("a", "b"), left=True)
    columns = [names, *(Column(f"a long head {n}", ("1.00", "2.00")) for n in range(16))]
    with house_style():
        figure = table_figure(columns, [1], "a note")
        assert not small_texts(figure)
        assert not cut_texts(figure)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("method") == 3
    assert texts.count("a") == 3
    assert [name for name in texts if name.startswith("a long")] == [
        f"a long head {n}" for n in range(16)
    ]


def test_a_figure_is_as_wide_as_asked_for_with_all_its_texts(few, tmp_path, monkeypatch):
    kept = []
    real = write.write_all
    monkeypatch.setattr(write, "write_all", lambda named, *rest: kept.extend(named) or [])
    draw_figures(few, tmp_path, ["svg"], only=["label_bits", "accuracy"], width="column")
    monkeypatch.setattr(write, "write_all", real)
    with house_style():
        for _, drawing in kept:
            assert drawing.figure.get_figwidth() == COLUMN_INCHES
            assert not cut_texts(drawing.figure)


def test_waterfalls_and_overviews_are_readable():
    names = ("truth", "objective", "batch", "samples", "network", "run", "reader")
    rows = pd.DataFrame(
        {
            "method": "supcon", "unique_ratio": [ratio for ratio in RATIOS for _ in names],
            "name": [*names] * 3, "label_bits": 1.5, "converged": True, "rate_bits": 4.0,
            "lowest_label_bits": 1.4, "highest_label_bits": 1.6, "lowest_whitened_bits": 1.4,
            "highest_whitened_bits": 1.6, "criterion": "", "note": "",
        }
    )  # fmt: skip
    steps = rows.assign(is_culprit=rows["name"] == "run", lost_bits=0.5, kept_bits=0.4)
    with house_style():
        for drawing in (draw_waterfall(rows), draw_overview(steps)):
            assert not small_texts(drawing.figure)
            assert not cut_texts(drawing.figure)
