"""Sweeps of further axes: which one is horizontal, panels, files, and no mean over worlds."""

import dataclasses
from functools import cache

import numpy as np
import pandas as pd
import pytest
from drawings import drawing_of
from printed import note_of
from synthetic_results import as_results, at_world, departing, joined, records
from unrendered import texts_for_files

from fctestbed.plotting import (
    FIGURES,
    METHOD_STYLES,
    Yardstick,
    draw_figures,
    summary_table,
    value_text,
    value_texts,
    write,
)
from fctestbed.plotting.axes import Axis, horizontal_axis, split_worlds, varying_axes
from fctestbed.plotting.figures import EVERY_AXIS, PANELS_PER_WORLD
from fctestbed.plotting.run_details import exact_along
from fctestbed.plotting.select import LABEL, accuracy_rows, quantity_rows

PROBE = Yardstick("linear_probe")
NOISE, DEPTH, KIND = "world.observation.noise", "training.nets.depth", "world.label.kind"
NOISES = (0.0, 0.5, 2.0)
CURVES = ("label_bits", "blocks", "accuracy")


# No test changes these rows, nor those that are made of them: at_world and joined copy them.
@cache
def lossy(
    bits, ratios=(0.0, 0.5, 1.0), methods=("simclr", "supcon", "raw"), seeds=(0, 1), rates=()
):
    runs = records(ratios, methods, seeds, rates=rates)
    lost = {"label": -bits, "shared": -bits, "w_s[0]": -bits}
    return as_results([departing(run, "paper", {}, lost) for run in runs])


@cache
def by_noise(noises=NOISES, **grid):
    """Runs that capture as many bits less as there is noise."""
    return joined(*(at_world(lossy(n, **grid), world__observation__noise=n) for n in noises))


@cache
def by_kind(**grid):
    worlds = [("threshold", True), ("channel", False), ("channel", True)]
    parts = [
        at_world(lossy(place, **grid), world__label__kind=kind, training__nets__residual=flag)
        for place, (kind, flag) in enumerate(worlds)
    ]
    return joined(*parts)


def drawn(name, results, **options):
    return drawing_of(name, results, **options)


def line(axes, label):
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return found


def titles(drawing):
    return [axes.get_title() for axes in drawing.figure.axes]


def note(drawing):
    return note_of(drawing.figure)


@pytest.mark.parametrize(
    ("made", "axis"),
    [
        (lambda: lossy(0.0), "unique_ratio"),
        (lambda: lossy(0.0, ratios=(0.5,)), "unique_ratio"),
        (by_noise, "unique_ratio"),
        (lambda: by_noise(ratios=(0.5,)), NOISE),
        (lambda: by_kind(ratios=(0.5,)), KIND),
        (lambda: joined(*(at_world(by_kind(ratios=(0.5,)), a=a) for a in (1, 2))), "a"),
    ],
)
def test_the_horizontal_axis_is_the_ratio_then_numbers_then_names(made, axis):
    results = made()
    axes = ("a", *results.axes) if "a" in results.runs else results.axes
    assert horizontal_axis(dataclasses.replace(results, axes=axes), None) == axis


def test_the_horizontal_axis_can_be_asked_for_and_an_unknown_one_is_refused(tmp_path):
    results = by_noise()
    assert horizontal_axis(results, NOISE) == NOISE
    expected = f"x: expected one of unique_ratio, {NOISE}, got 'seed'"
    with pytest.raises(ValueError, match=expected):
        draw_figures(results, tmp_path, x="seed")


def test_values_are_in_order_booleans_numbers_and_text_apart():
    assert Axis.of(pd.Series([2, 0.5, 1], name="a")).values == (0.5, 1, 2)
    flags = Axis.of(pd.Series([True, False], name="a"))
    assert flags.values == (False, True)
    assert not flags.is_numeric
    assert list(flags.places([True, False])) == [1.0, 0.0]


def test_text_with_numbers_is_in_the_order_of_the_numbers():
    column = pd.Series(["[128]", "[64, 64]", "b", "[64]", "a", "[]", "[8]"], name="a")
    assert Axis.of(column).values == ("[]", "[8]", "[64]", "[64, 64]", "[128]", "a", "b")


def test_different_values_have_different_texts():
    values = (0.1, 0.1000001, 1000000, 1000001, 1e-7, 0.1 + 0.2, True, "[64, 64]")
    texts = ("0.1", "0.1000001", "1000000", "1000001", "1e-07", "0.3", "true", "[64, 64]")
    assert tuple(map(value_text, values)) == texts


def test_numbers_have_six_digits_where_these_tell_them_apart():
    assert value_texts([2 / 3, 1 / 3, 1.0, True]) == ["0.666667", "0.333333", "1", "true"]
    assert value_texts([0.1234567, 0.1234568, 1.0]) == ["0.1234567", "0.1234568", "1"]
    near = by_noise((1 / 3, 0.333333), methods=("raw",), ratios=(0.5, 1.0))
    assert titles(drawn("label_bits", near)) == ["noise = 0.333333", "noise = 0.333333333333"]
    thirds = by_noise((1 / 3, 2 / 3), methods=("raw",), ratios=(0.5, 1.0))
    assert titles(drawn("label_bits", thirds)) == ["noise = 0.333333", "noise = 0.666667"]
    ticks = drawn("label_bits", thirds, x=NOISE).figure.axes[0].get_xticklabels()
    assert [tick.get_text() for tick in ticks] == ["0.333333", "0.666667"]


@pytest.mark.parametrize("name", CURVES)
def test_curves_along_the_ratio_have_a_panel_for_each_noise_on_one_scale(name):
    drawing = drawn(name, by_noise())
    panels = drawing.figure.axes
    n = 6 if name == "blocks" else 3
    assert len(panels) == n
    assert [title.split("\n")[-1] for title in titles(drawing)[:3]] == [
        f"noise = {noise:g}" for noise in NOISES
    ]
    assert len({axes.get_ylim() for axes in panels}) == n // 3
    assert len({axes.get_xlim() for axes in panels}) == 1
    assert f"a panel for each {NOISE}" in note(drawing)
    assert list(drawing.numbers.columns[:4]) == ["method", "variant", "unique_ratio", NOISE]
    assert not drawing.numbers.duplicated(
        ["method", "unique_ratio", NOISE, *(["panel"] if name == "blocks" else [])]
    ).any()


@cache
def by_noise_and_steps(n_noises, n_steps, left_out=()):
    parts = [
        at_world(lossy(0.1 * n, methods=("raw",)), world__observation__noise=n, train__steps=s)
        for n in range(n_noises)
        for s in range(n_steps)
        if (n, s) not in left_out
    ]
    return joined(*parts)


@pytest.mark.parametrize(
    ("name", "counts", "across"),
    [
        ("label_bits", (3, 2), "noise"),
        ("label_bits", (2, 3), "steps"),
        ("label_bits", (2, 2), "steps"),
        ("label_bits", (4, 3), "noise"),
        ("label_bits", (5, 2), "steps"),
        ("blocks", (3, 2), "noise"),
    ],
)
def test_panels_of_two_axes_have_one_axis_in_rows_and_one_in_columns(name, counts, across):
    drawing = drawn(name, by_noise_and_steps(*counts))
    place = {"noise": 0, "steps": 1}[across]
    for axes in drawing.figure.axes:
        at = [int(line.split(" = ")[1]) for line in axes.get_title().split("\n")[-2:]]
        spec = axes.get_subplotspec()
        assert spec.colspan.start == at[place]
        assert spec.rowspan.start % counts[1 - place] == at[1 - place]
        assert spec.get_gridspec().ncols == counts[place]
    # The numbers stay in the order of the axes.
    order = list(drawing.numbers[[NOISE, "train.steps"]].itertuples(index=False, name=None))
    half = len(order) // (2 if name == "blocks" else 1)
    assert order[:half] == sorted(order[:half])


def test_panels_that_lack_a_combination_of_two_axes_fill_rows_of_three():
    drawing = drawn("label_bits", by_noise_and_steps(3, 2, left_out=((0, 1),)))
    assert len(drawing.figure.axes) == 5
    assert drawing.figure.axes[0].get_subplotspec().get_gridspec().ncols == 3
    assert [title.split("\n")[0] for title in titles(drawing)] == [
        f"noise = {n}" for n in (0, 1, 1, 2, 2)
    ]


def test_a_panel_has_the_means_of_its_own_world():
    drawing = drawn("label_bits", by_noise())
    alone = drawn("label_bits", lossy(0.5)).numbers
    own = drawing.numbers[drawing.numbers[NOISE] == 0.5].drop(columns=NOISE)
    pd.testing.assert_frame_equal(own.reset_index(drop=True), alone)
    curve = line(drawing.figure.axes[1], "SimCLR")
    np.testing.assert_allclose(
        curve.get_ydata(), alone.loc[alone["method"] == "simclr", "captured_bits"]
    )


def test_curves_along_the_noise_have_its_name_and_a_panel_for_each_ratio():
    drawing = drawn("label_bits", by_noise(), x=NOISE)
    assert titles(drawing) == ["unique ratio = 0", "unique ratio = 0.5", "unique ratio = 1"]
    assert drawing.figure.axes[-1].get_xlabel() == NOISE
    assert "a panel for each unique ratio" in note(drawing)
    curve = line(drawing.figure.axes[0], "SimCLR")
    assert list(curve.get_xdata()) == list(NOISES)
    # As many bits less as there is noise.
    np.testing.assert_allclose(curve.get_ydata() - curve.get_ydata()[0], -np.array(NOISES))


def test_one_ratio_has_one_panel_along_the_noise_and_says_which_ratio():
    drawing = drawn("label_bits", by_noise(ratios=(0.5,)))
    (axes,) = drawing.figure.axes
    assert axes.get_xlabel() == NOISE
    assert "unique ratio 0.5" in note(drawing)
    assert set(drawing.numbers["unique_ratio"]) == {0.5}


def test_a_run_that_has_rows_at_every_value_of_an_axis_is_drawn_at_each():
    results = joined(by_noise(methods=("raw",)))
    for table in (results.captured, results.accuracy, results.runs):
        table["run_id"] = [
            f"{r}-{s}" for r, s in zip(table["unique_ratio"], table["seed"], strict=True)
        ]
    for x in ("unique_ratio", NOISE):
        numbers = drawn("label_bits", results, x=x).numbers
        assert len(numbers) == len(NOISES) * 3
        assert set(numbers["n_seeds"]) == {2}


def test_positive_numbers_over_a_wide_range_have_a_log_scale():
    wide = drawn("label_bits", by_noise((0.01, 0.1, 1.0), ratios=(0.5,))).figure.axes[0]
    assert wide.get_xscale() == "log"
    assert [label.get_text() for label in wide.get_xticklabels()] == ["0.01", "0.1", "1"]
    assert drawn("label_bits", by_noise(ratios=(0.5,))).figure.axes[0].get_xscale() == "linear"


def test_names_are_categories_without_lines_between_them():
    drawing = drawn("label_bits", by_kind(ratios=(0.5,)))
    first, second = drawing.figure.axes
    assert titles(drawing) == ["residual = false", "residual = true"]
    assert [label.get_text() for label in second.get_xticklabels()] == ["channel", "threshold"]
    lines = [line(second, METHOD_STYLES[name].label) for name in ("simclr", "supcon", "raw")]
    assert {curve.get_linestyle() for curve in lines} == {"None"}
    places = np.array([curve.get_xdata() for curve in lines])
    np.testing.assert_allclose(places, places.mean(0) + np.array([[0], [-0.06], [0.06]]))
    np.testing.assert_allclose(places.mean(0), [0.0, 1.0], atol=1e-12)
    # The exact level of each category, and a gap.
    np.testing.assert_allclose(
        line(second, "Exact total").get_xdata(), [-0.4, 0.4, np.nan, 0.6, 1.4, np.nan]
    )
    # One world was run with one kind of label only.
    assert list(line(first, "SimCLR").get_ydata()) == pytest.approx(
        drawing.numbers.query("method == 'simclr'")["captured_bits"].iloc[:1]
    )


def keep_figures(monkeypatch, names):
    monkeypatch.setattr(write, "FIGURES", {name: FIGURES[name] for name in names})


def test_many_worlds_have_a_file_for_each_value_of_the_axis_with_the_fewest(tmp_path, monkeypatch):
    keep_figures(monkeypatch, ("label_bits", "blocks"))
    texts_for_files(monkeypatch)
    parts = [
        at_world(lossy(0.0, (0.0, 1.0), ("raw",), (0,)), a__noise=n, a__depth=d)
        for n in range(7)
        for d in range(2)
    ]
    results = joined(*parts)
    names = {path.stem for path in draw_figures(results, tmp_path, formats=("svg",))}
    assert {"label_bits_depth=0", "label_bits_depth=1"} <= names
    assert "label_bits" not in names
    numbers = pd.read_csv(tmp_path / "label_bits_depth=1.csv")
    assert list(numbers.columns[2:5]) == ["unique_ratio", "a.noise", "a.depth"]
    assert len(numbers) == 7 * 2
    # Two panels for each world: seven worlds are too many.
    blocks = {name for name in names if name.startswith("blocks")}
    assert blocks == {f"blocks_noise={n}_depth={d}" for n in range(7) for d in range(2)}


def test_tables_and_heat_maps_have_a_file_for_each_world_and_name_it(tmp_path, monkeypatch):
    texts_for_files(monkeypatch)
    noises = (0.0, 0.5)
    results = by_noise(noises)
    names = {path.stem for path in draw_figures(results, tmp_path, formats=("svg",))}
    endings = [f"noise={noise:g}" for noise in noises]
    assert {f"{name}_{ending}" for name in ("latent_bits", "ablation", "readouts")
            for ending in endings} == names - set(CURVES)  # fmt: skip
    for ending, noise in zip(endings, noises, strict=True):
        numbers = pd.read_csv(tmp_path / f"ablation_{ending}.csv")
        assert set(numbers[NOISE]) == {noise}
        assert f"{NOISE} = {noise:g}" in (tmp_path / f"ablation_{ending}.md").read_text()
        assert f"{NOISE} = {noise:g}" in (tmp_path / f"latent_bits_{ending}.svg").read_text()
    alone = drawn("ablation", lossy(0.5)).numbers
    own = pd.read_csv(tmp_path / "ablation_noise=0.5.csv")
    np.testing.assert_allclose(own["label_bits"], alone["label_bits"])


@pytest.mark.parametrize("name", sorted(FIGURES.keys() - PANELS_PER_WORLD.keys() - EVERY_AXIS))
def test_a_figure_of_one_world_refuses_rows_of_several(name):
    with pytest.raises(ValueError, match=f"expected one value of {NOISE} in one mean, got 0, 0.5"):
        drawn(name, by_noise(rates=(2.0, 8.0) if name == "rate_curves" else ()))


def test_rows_and_exact_numbers_of_several_worlds_are_refused():
    results = by_noise()
    for ask in (
        lambda: quantity_rows(results, LABEL, PROBE),
        lambda: quantity_rows(results, LABEL, PROBE, along=NOISE),
        lambda: accuracy_rows(results),
        lambda: exact_along(results, "total_bits"),
    ):
        with pytest.raises(ValueError, match=r"results: expected one value of .* in one mean"):
            ask()


def test_worlds_are_the_combinations_that_were_run():
    results = by_kind()
    worlds = split_worlds(results, results.axes)
    assert [world.suffix for world in worlds] == [
        "_kind=channel_residual=false",
        "_kind=channel_residual=true",
        "_kind=threshold_residual=true",
    ]
    assert all(world.results.axes == () for world in worlds)
    assert sum(len(world.results.captured) for world in worlds) == len(results.captured)
    assert [axis.name for axis in varying_axes(results)] == ["unique_ratio", *results.axes]


def test_short_names_are_as_long_as_it_takes_to_tell_axes_apart():
    parts = [at_world(lossy(0.0), a__x__noise=n, b__x__noise=1 - n) for n in (0, 1)]
    results = joined(*parts)
    assert split_worlds(results, results.axes)[0].title == "a.x.noise = 0\nb.x.noise = 1"


def test_a_name_that_no_file_can_have_is_rewritten():
    results = joined(*(at_world(lossy(0.0), net__name=name) for name in ("a/b", "c d")))
    assert [world.suffix for world in split_worlds(results, ("net.name",))] == [
        "_name=a-b",
        "_name=c-d",
    ]
    lists = joined(*(at_world(lossy(0.0), net__hidden=text) for text in ("[64]", "[64, 32]")))
    assert [world.suffix for world in split_worlds(lists, ("net.hidden",))] == [
        "_hidden=64",
        "_hidden=64-32",
    ]


def test_two_worlds_that_no_file_name_tells_apart_have_a_file_each(tmp_path, monkeypatch):
    keep_figures(monkeypatch, ("latent_bits",))
    texts_for_files(monkeypatch)
    results = joined(*(at_world(lossy(0.0), net__name=name) for name in ("a/b", "a-b", "a b")))
    draw_figures(results, tmp_path, formats=("svg",))
    names = [f"latent_bits_name=a-b{end}.csv" for end in ("", "_2", "_3")]
    assert {str(pd.read_csv(tmp_path / name)["net.name"].iloc[0]) for name in names} == {
        "a/b",
        "a-b",
        "a b",
    }


def test_a_world_without_a_finished_run_is_left_out_and_the_other_is_named():
    lost = {(m, r, s) for m in ("simclr", "raw") for r in (0.0, 1.0) for s in (0, 1)}
    none = as_results(records((0.0, 1.0), ("simclr", "raw"), (0, 1), unfinished=lost))
    some = lossy(0.0, ratios=(0.0, 1.0), methods=("simclr", "raw"))
    results = joined(
        at_world(some, world__observation__noise=0.0), at_world(none, world__observation__noise=1.0)
    )
    drawing = drawn("label_bits", results)
    assert len(drawing.figure.axes) == 1
    assert f"{NOISE} = 0" in note(drawing)
    assert "8 unfinished runs left out" in note(drawing)


def test_the_summary_has_a_row_for_each_world():
    rows = [row for row in summary_table(by_noise()) if row.method == "simclr"]
    assert [row.world for row in rows] == [f"{NOISE} = {n:g}" for n in NOISES for _ in range(3)]
    at = {(row.world, row.unique_ratio): row.label_bits for row in rows}
    lost = at[f"{NOISE} = 0", 0.5] - at[f"{NOISE} = 2", 0.5]
    assert lost == pytest.approx(2.0)
    assert {row.world for row in summary_table(lossy(0.0))} == {""}


def test_the_summary_of_one_ratio_is_along_the_axis_that_figures_are_drawn_along():
    rows = [row for row in summary_table(by_noise(ratios=(0.5,))) if row.method == "simclr"]
    assert [(row.axis, row.value, row.world) for row in rows] == [(NOISE, n, "") for n in NOISES]
    assert {row.unique_ratio for row in rows} == {0.5}
    assert {(row.axis, row.value) for row in summary_table(by_noise()) if row.unique_ratio} == {
        ("unique_ratio", 0.5),
        ("unique_ratio", 1.0),
    }
    bits = [row.label_bits for row in rows]
    np.testing.assert_allclose(np.array(bits) - bits[0], -np.array(NOISES))


def test_the_summary_of_categories_is_in_their_order():
    rows = [row for row in summary_table(by_kind(ratios=(0.5,))) if row.method == "raw"]
    assert [(row.world.split(" = ")[1], row.value) for row in rows] == [
        ("false", "channel"),
        ("true", "channel"),
        ("true", "threshold"),
    ]
    assert {row.total_bits for row in rows} == {2.0}
