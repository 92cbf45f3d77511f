"""Figures of what methods were trained with: augmentations of a quality, critics of a family."""

import dataclasses
from typing import get_args

import numpy as np
import pytest
from drawings import drawing_of
from matplotlib.colors import to_hex
from synthetic_results import LABEL_BITS, as_results, departing, records

from fctestbed.nets import CriticKind
from fctestbed.plotting import METHOD_STYLES, NothingToDraw
from fctestbed.plotting.figures.critics import CRITIC_MARKERS

RATIOS = (0.2, 0.8)
QUALITIES = ((1.0, 1.0), (0.5, 1.0), (0.0, 1.0), (1.0, 0.5), (0.5, 0.5))
CRITICS = ("cosine", "separable", "concat")


def drawn(name, results, **options):
    return drawing_of(name, results, **options)


def quality_runs(methods=("simclr", "factorcl-ssl"), qualities=QUALITIES, views=True, **training):
    runs = []
    for run in records(RATIOS, methods):
        for relevant, irrelevant in qualities:
            augmentation = {"kind": "quality", "relevant": relevant, "irrelevant": irrelevant}
            lost = {"label": -0.5 * (1 - relevant) - 0.25 * (1 - irrelevant)}
            name = f"quality {relevant}/{irrelevant}"
            changed = departing(run, name, {}, lost, augmentation=augmentation, **training)
            exact = {"joint_bits": 4 * relevant + 14 * (1 - irrelevant)} if views else {}
            runs.append(
                dataclasses.replace(changed, truth={**changed.truth, "augmentation": exact})
            )
    return runs


def line(axes, label):
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return found


def test_each_panel_moves_one_quality_with_the_other_at_its_best():
    drawing = drawn("quality", as_results(quality_runs()))
    relevant, irrelevant = drawing.figure.axes[:2]
    simclr = METHOD_STYLES["simclr"]
    curve = line(relevant, simclr.label)
    assert list(curve.get_xdata()) == [0.0, 0.5, 1.0]
    np.testing.assert_allclose(np.diff(curve.get_ydata()), 0.25)
    assert to_hex(curve.get_color()) == simclr.color
    curve = line(irrelevant, simclr.label)
    assert list(curve.get_xdata()) == [0.5, 1.0]
    np.testing.assert_allclose(np.diff(curve.get_ydata()), 0.125)
    assert relevant.get_ylabel() == "label bits read by a linear probe"


def test_quality_has_the_exact_bits_of_views_and_label():
    drawing = drawn("quality", as_results(quality_runs()))
    top, _, relevant, irrelevant = drawing.figure.axes
    np.testing.assert_allclose(line(top, "Exact total $I(X_1,X_2;Y)$").get_ydata(), LABEL_BITS)
    views = "Exact $I(X_1,X_2;X_1',X_2')$"
    np.testing.assert_allclose(line(relevant, views).get_ydata(), [0.0, 2.0, 4.0])
    np.testing.assert_allclose(line(irrelevant, views).get_ydata(), [11.0, 4.0])
    assert irrelevant.get_xlabel() == "quality: chance that an irrelevant bit is redrawn"
    numbers = drawing.numbers.set_index(["knob", "method", "quality"])
    assert numbers.loc[("relevant", "simclr", 0.5), "views_bits"] == 2.0
    assert numbers.loc[("relevant", "simclr", 0.5), "total_bits"] == LABEL_BITS


def test_quality_without_exact_bits_has_no_lower_panels():
    drawing = drawn("quality", as_results(quality_runs(views=False)))
    assert len(drawing.figure.axes) == 2


def test_one_quality_moved_is_one_panel():
    runs = quality_runs(qualities=QUALITIES[:3])
    assert len(drawn("quality", as_results(runs)).figure.axes) == 2


def test_settings_that_differ_are_curves_of_their_own():
    exact = [
        dataclasses.replace(run, run_id=f"{run.run_id}-x")
        for run in quality_runs(("factorcl-ssl",), settings={"conditioning": "exact"})
    ]
    runs = quality_runs(("factorcl-ssl",), settings={"conditioning": "within"})
    axes = drawn("quality", as_results([*runs, *exact])).figure.axes[0]
    labels = {line.get_label() for line in axes.lines}
    assert "FactorCL-SSL (conditioning = exact)" in labels
    assert "FactorCL-SSL (conditioning = within)" in labels


def test_without_two_qualities_there_is_no_quality_figure():
    for runs in (records(RATIOS, ("simclr",)), quality_runs(qualities=QUALITIES[:1])):
        with pytest.raises(NothingToDraw, match="expected rows of two qualities of views from"):
            drawn("quality", as_results(runs))


def critic_runs(methods=("simclr", "factorcl-sup"), critics=CRITICS):
    runs = []
    for run in records(RATIOS, methods):
        runs.append(departing(run, "paper", {}, settings={"critic": "concat"}))
        for place, critic in enumerate(critics):
            lost = {"label": -0.1 * place}
            runs.append(departing(run, critic, {}, lost, settings={"critic": critic}))
    return runs


def test_critics_have_a_row_per_method_and_a_mark_per_family():
    drawing = drawn("critics", as_results(critic_runs()))
    (axes,) = drawing.figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["SimCLR", "FactorCL-SUP"]
    (legend,) = drawing.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["Exact total", *CRITICS]
    numbers = drawing.numbers.set_index(["method", "critic"])
    gap = numbers.loc[("simclr", "cosine"), "captured_bits"]
    gap -= numbers.loc[("simclr", "separable"), "captured_bits"]
    assert gap == pytest.approx(0.1)
    assert set(numbers["unique_ratio"]) == {"mean"}
    assert axes.get_xlabel() == "label bits read by a linear probe"


def test_the_papers_run_counts_where_two_variants_have_one_critic():
    results = as_results(critic_runs())
    numbers = drawn("critics", results).numbers.set_index(["method", "critic"])
    rows = results.captured
    own = rows[(rows["variant"] == "paper") & (rows["readout"] == "joint")]
    own = own[(own["method"] == "simclr") & (own["quantity"] == "label")]
    captured = numbers.loc[("simclr", "concat"), "captured_bits"]
    assert captured == pytest.approx(own["value_bits"].mean())
    assert numbers["n_seeds"].eq(3).all()


def test_filled_marks_are_the_methods_own_critic():
    (axes,) = drawn("critics", as_results(critic_runs(("simclr",)))).figure.axes
    marks = {mark.get_marker(): mark for mark in axes.lines if mark.get_marker() in "osD"}
    filled = {m: to_hex(mark.get_markerfacecolor()) != "#ffffff" for m, mark in marks.items()}
    assert filled == {"o": False, "s": False, "D": True}


def test_without_the_papers_variant_no_critic_is_a_methods_own():
    runs = [run for run in critic_runs(("simclr",)) if run.variant != "paper"]
    drawing = drawn("critics", as_results(runs))
    (axes,) = drawing.figure.axes
    marks = [mark for mark in axes.lines if mark.get_marker() in ("o", "s", "D")]
    assert {to_hex(mark.get_markerfacecolor()) for mark in marks} == {METHOD_STYLES["simclr"].color}
    (legend,) = drawing.figure.legends
    assert "filled" not in legend.get_title().get_text()


def test_a_critic_whose_runs_all_diverged_is_named_in_its_place():
    runs = critic_runs(("simclr", "factorcl-sup"))
    lost = [
        dataclasses.replace(
            run, status="diverged", reason="nan", captured=(), accuracy=(), scores=(), along=()
        )
        if run.method == "factorcl-sup"
        and run.spec["training"]["settings"]["critic"] == "separable"
        else run
        for run in runs
    ]
    (axes,) = drawn("critics", as_results(lost)).figure.axes
    (text,) = axes.texts
    assert text.get_text() == "separable: diverged"
    low, high = sorted(axes.get_yticks())
    # In the lower method's rows.
    assert text.get_position()[1] > (low + high) / 2


def test_departures_are_the_audits_and_not_the_critics():
    runs = critic_runs(("simclr",), critics=())
    runs += [
        departing(run, "official", {"contrast": "first"}, settings={"critic": "cosine"})
        for run in records(RATIOS, ("simclr",))
    ]
    with pytest.raises(NothingToDraw, match="expected rows of one method with two critics"):
        drawn("critics", as_results(runs))


def test_an_unknown_family_has_a_mark_too():
    drawing = drawn("critics", as_results(critic_runs(critics=("mine", "cosine"))))
    (legend,) = drawing.figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts == ["Exact total", "cosine", "concat", "mine"]


def test_every_critic_family_has_a_mark_of_its_own():
    assert set(CRITIC_MARKERS) == set(get_args(CriticKind))
    assert len(set(CRITIC_MARKERS.values())) == len(CRITIC_MARKERS)
