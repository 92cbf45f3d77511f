import pandas as pd
import pytest
from printed import note_of
from synthetic_results import as_results, departing, records

from fctestbed.plotting import FIGURES, DrawOptions, draw_figures
from fctestbed.plotting.select import readable_series
from fctestbed.plotting.style import house_style, series_styles


def pairs(**variants):
    return pd.DataFrame(
        [(method, variant) for method, names in variants.items() for variant in names],
        columns=["method", "variant"],
    )


def test_few_variants_are_all_drawn():
    rows = pairs(simclr=["paper", "a", "b", "c"], raw=["paper"])
    kept, note = readable_series(rows)
    assert len(kept) == 5
    assert note == ""


def test_of_many_variants_the_papers_alone_is_drawn_and_the_rest_counted():
    rows = pairs(simclr=["a", "b", "c", "d", "paper"], supcon=["paper", "a"])
    kept, note = readable_series(rows)
    assert sorted(zip(kept["method"], kept["variant"], strict=True)) == [
        ("simclr", "paper"),
        ("supcon", "a"),
        ("supcon", "paper"),
    ]
    assert note == "4 more variants not drawn"


def test_where_any_variant_will_do_the_first_by_name_is_drawn_with_its_name():
    rows = pairs(simclr=[f"quality {i}" for i in range(9)])
    kept, _ = readable_series(rows, any_variant=True)
    assert list(kept["variant"]) == ["quality 0"]
    assert series_styles(kept)["simclr", "quality 0"].label == "SimCLR (quality 0)"


def test_of_many_variants_without_the_papers_none_is_drawn():
    rows = pairs(simclr=[f"quality {i}" for i in range(9)], raw=["only"])
    kept, note = readable_series(rows)
    assert list(kept["method"]) == ["raw"]
    assert note == "9 more variants not drawn"


def test_too_many_series_in_all_are_cut_to_one_a_method():
    rows = pairs(**{f"m{i}": ["paper", "official"] for i in range(9)})
    kept, note = readable_series(rows)
    assert set(kept["variant"]) == {"paper"}
    assert note == "9 more variants not drawn"


def test_the_papers_variant_comes_first_and_has_the_methods_own_dash():
    styles = series_styles(pairs(simclr=["official", "paper"]))
    assert list(styles) == [("simclr", "paper"), ("simclr", "official")]
    assert styles["simclr", "paper"].dash == "-"


@pytest.mark.parametrize("name", ["label_bits", "blocks", "accuracy", "latent_bits"])
def test_a_sweep_of_twenty_variants_draws_one_line_a_method(name):
    base = records((0.0, 1.0), ("simclr", "factorcl-ssl"), (0, 1))
    runs = [*base, *(departing(run, f"v{i}", {}) for run in base for i in range(19))]
    with house_style():
        drawing = FIGURES[name](as_results(runs), DrawOptions())
    assert set(drawing.numbers["variant"]) == {"paper"}
    assert "38 more variants not drawn" in note_of(drawing.figure)
    if name == "blocks":
        (legend,) = drawing.figure.legends
        assert len(legend.get_texts()) == 2 + 2


def free_runs(methods, number):
    base = records((0.0, 1.0), methods, (0, 1))
    return [departing(run, f"free {i}", {}) for run in base for i in range(number)]


def test_variants_that_no_figure_compares_are_drawn_by_the_first(tmp_path):
    results = as_results(free_runs(("simclr", "supcon"), 6))
    draw_figures(results, tmp_path, formats=("svg",), only=["label_bits"])
    assert set(pd.read_csv(tmp_path / "label_bits.csv")["variant"]) == {"free 0"}


def test_variants_that_a_figure_compares_are_left_to_it(tmp_path):
    runs = [
        departing(run, run.variant, {}, settings={"critic": run.variant})
        for run in free_runs(("simclr", "supcon"), 6)
    ]
    draw_figures(as_results(runs), tmp_path, formats=("svg",))
    assert {path.name for path in tmp_path.iterdir()} == {"critics.csv", "critics.svg"}
