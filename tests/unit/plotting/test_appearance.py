import dataclasses

import pytest
from drawings import drawing_of
from drawn_parts import curve, legend_texts, line, note
from synthetic_results import (
    LADDER,
    METHODS,
    as_results,
    records,
)

from fctestbed.plotting.style import COLUMN_INCHES, PAGE_INCHES, TABLE_GROUPS, house_style

CURVES = ("label_bits", "blocks", "accuracy")
EVERY_SWEEP = (*CURVES, "latent_bits", "ablation", "readouts")


@pytest.fixture(scope="module")
def gaps(results):
    """Every run, one run unfinished, and one ratio."""
    unfinished = records((0.0, 0.3, 1.0), unfinished={("simclr", 0.3, 0)})
    return results, as_results(unfinished), as_results(records(ratios=(0.5,)))


def test_many_methods_have_a_panel_for_each_kind_and_the_controls_in_all(results):
    ssl, sup = drawing_of("label_bits", results).figure.axes
    names = [{one.get_label() for one in axes.lines} for axes in (ssl, sup)]
    shared = {"Exact total", "Exact shared part", "Supervised", "Raw inputs", "Untrained"}
    assert names[0] - names[1] == {"SimCLR", "FactorCL-SSL", "Unimodal-SSL"}
    assert names[1] - names[0] == {"SupCon", "FactorCL-SUP", "Unimodal-SUP"}
    assert names[0] & names[1] == shared
    assert [axes.get_title() for axes in (ssl, sup)] == ["self-supervised", "with labels"]
    assert ssl.get_ylim() == sup.get_ylim()
    own = {text.get_text() for text in sup.get_legend().get_texts()}
    assert own == {"SupCon", "FactorCL-SUP", "Unimodal-SUP"}


def test_many_methods_of_one_kind_share_a_panel():
    runs = records((0.0, 1.0), LADDER[:7], (0,))
    own = [dataclasses.replace(r, method=f"my-{r.method}", run_id=f"my-{r.run_id}") for r in runs]
    assert len(drawing_of("label_bits", as_results(own)).figure.axes) == 1
    ssl = [run for run in runs if run.method in TABLE_GROUPS["SSL"]]
    panels = drawing_of("label_bits", as_results([*own, *ssl])).figure.axes
    assert [axes.get_title() for axes in panels] == ["self-supervised", "other methods"]


def test_axes_name_their_units(results):
    few = as_results(records((0.0, 1.0), ("simclr", "raw"), (0, 1)))
    panels = drawing_of("label_bits", few).figure.axes
    assert panels[0].get_ylabel() == "label bits read by a linear probe"
    assert "unique ratio" in panels[-1].get_xlabel()
    panels = drawing_of("blocks", few).figure.axes
    assert all(axes.get_ylabel() == "bits read by a linear probe" for axes in panels)
    (axes,) = drawing_of("accuracy", few).figure.axes
    assert "(%)" in axes.get_ylabel()
    assert axes.yaxis.get_major_formatter()(0.5) == "50"
    # Panels of kinds of methods have one name for all of their vertical axes.
    figure = drawing_of("accuracy", results).figure
    assert figure.get_supylabel() == "task accuracy (%)"
    assert all(axes.get_xlabel() == "unique ratio" for axes in figure.axes)
    assert figure.axes[1].yaxis.get_major_formatter()(0.5) == "50"


@pytest.mark.parametrize("name", CURVES)
def test_the_legend_names_everything_once_and_the_note_says_what_intervals_are(results, name):
    drawing = drawing_of(name, results)
    texts = legend_texts(drawing)
    assert len(texts) == len(set(texts)) == len(METHODS) + 2
    assert note(drawing) == "mean and 95 % interval (Student t) over 3 seeds"


@pytest.mark.parametrize("name", EVERY_SWEEP)
def test_figures_are_as_wide_as_a_column_or_a_page(results, name):
    assert drawing_of(name, results).figure.get_figwidth() in (COLUMN_INCHES, PAGE_INCHES)


@pytest.mark.parametrize("name", EVERY_SWEEP)
def test_no_text_is_cut_off_and_the_legend_touches_no_panel(gaps, name):
    for rows in gaps:
        with house_style():
            figure = drawing_of(name, rows).figure
            figure.draw_without_rendering()
            page = figure.bbox
            for axes in figure.axes:
                box = axes.get_tightbbox()
                assert box.x0 >= page.x0 - 1
                assert box.x1 <= page.x1 + 1
                assert box.y0 >= page.y0 - 1
                assert box.y1 <= page.y1 + 1
                for legend in figure.legends:
                    assert legend.get_window_extent().y1 <= box.y0 + 1
            for legend in figure.legends:
                extent = legend.get_window_extent()
                assert extent.x0 >= page.x0 - 1
                assert extent.x1 <= page.x1 + 1


def test_controls_are_thin_and_hollow(results):
    drawing = drawing_of("label_bits", results)
    control, method = curve(drawing, "Unimodal-SUP"), curve(drawing, "FactorCL-SUP")
    assert control.get_linewidth() < method.get_linewidth()
    assert control.get_markerfacecolor() == "white"
    assert control.get_zorder() < method.get_zorder()


@pytest.mark.parametrize("name", ["label_bits", "blocks", "accuracy"])
def test_many_methods_get_a_page_and_a_legend_that_fits_it(ladder, name):
    figure = drawing_of(name, ladder).figure
    with house_style():
        figure.draw_without_rendering()
    assert figure.get_figwidth() == PAGE_INCHES
    (legend,) = figure.legends
    extent = legend.get_window_extent()
    assert extent.x0 >= figure.bbox.x0
    assert extent.x1 <= figure.bbox.x1


def test_two_variants_are_two_lines_of_one_colour():
    runs = records(methods=("simclr",), ratios=(0.0, 1.0))
    other = [dataclasses.replace(r, run_id=f"o{r.run_id}", variant="official") for r in runs]
    (axes,) = drawing_of("label_bits", as_results([*runs, *other])).figure.axes
    lines = [line(axes, f"SimCLR ({variant})") for variant in ("official", "paper")]
    assert lines[0].get_color() == lines[1].get_color()


def test_one_ratio_puts_methods_side_by_side():
    drawing = drawing_of("label_bits", as_results(records(ratios=(0.5,))))
    axes = drawing.figure.axes[0]
    names = [one.get_label() for one in axes.lines if not one.get_label().startswith("Exact")]
    places = [line(axes, name).get_xdata()[0] for name in names]
    assert len(set(places)) == len(names) == 6
    assert list(axes.get_xticks()) == [0.5]
    assert set(drawing.numbers["unique_ratio"]) == {0.5}
    assert len(line(axes, "Exact total").get_xdata()) == 2
