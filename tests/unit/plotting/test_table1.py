import numpy as np
import pytest
from drawings import drawing_of
from matplotlib.patches import Rectangle
from synthetic_results import as_results, departing, record, records

from fctestbed.plotting import NothingToDraw
from fctestbed.plotting.figures.table1 import PAPER_NATS
from fctestbed.plotting.table import plus_minus

RATIOS = (0.0, 0.5, 1.0)
METHODS = ("simclr", "cross-self", "supcon", "factorcl-ssl", "factorcl-sup", "unimodal-ssl", "raw")


def drawn(results, **options):
    return drawing_of("readouts", results, **options)


@pytest.fixture(scope="module")
def results():
    return as_results(records(RATIOS, METHODS))


@pytest.fixture(scope="module")
def drawing(results):
    return drawn(results)


def test_rows_are_the_readouts_of_the_papers_table(drawing):
    found = set(zip(drawing.numbers["method"], drawing.numbers["readout"], strict=True))
    parts = ("z_u1", "z_u2", "z_s1", "z_s2")
    assert found == {
        *((method, z) for method in ("simclr", "cross-self", "supcon") for z in ("z1", "z2")),
        *((method, z) for method in ("factorcl-ssl", "factorcl-sup") for z in parts),
    }
    assert len(drawing.numbers) == 3 * len(found)
    assert set(drawing.numbers["most_bits"]) == {6.0}


def test_our_numbers_are_means_over_ratios_and_seeds(results, drawing):
    rows = results.captured
    rows = rows[(rows["method"] == "supcon") & (rows["readout"] == "z2")]
    expected = rows[rows["quantity"] == "unique2"]["value_bits"].mean()
    numbers = drawing.numbers.set_index(["method", "readout", "quantity"])
    assert numbers.loc[("supcon", "z2", "unique2"), "captured_bits"] == pytest.approx(expected)
    assert numbers.loc[("supcon", "z2", "unique2"), "paper_nats"] == 5.17


def test_the_papers_numbers_stand_at_both_kinds_of_factorcl(drawing):
    numbers = drawing.numbers[drawing.numbers["readout"] == "z_s1"].set_index("method")
    shared = numbers[numbers["quantity"] == "shared"]["paper_nats"]
    assert shared.to_dict() == {"factorcl-ssl": 10.13, "factorcl-sup": 10.13}
    lines = [line for line in drawing.markdown.splitlines() if "| Z_S1 " in line]
    assert len(lines) == 2
    assert all(line.endswith("| 6.25 | 0.05 | 10.13 |") for line in lines)


def test_the_papers_table_has_its_own_largest_numbers_where_it_says_so():
    w1, w2, ws = np.array(list(PAPER_NATS.values())).T
    assert (w1.max(), w2.max(), ws.max()) == (7.83, 7.17, 12.61)
    assert len(PAPER_NATS) == 10


def test_units_and_the_caveats_are_in_heads_and_caption(drawing):
    (axes,) = drawing.figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert "I(Z;w1)\nhere (bits)" in texts
    assert "I(Z;ws)\npaper (nats)" in texts
    caption = " ".join(texts[-1].split())
    assert "H(ws) = 6 bits" in caption
    assert "compare patterns, not values" in caption
    assert "does not say whether its FactorCL is SUP or SSL" in caption


def test_cells_are_shaded_by_their_share_of_what_there_is(drawing):
    (axes,) = drawing.figure.axes
    cells = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(cells) == 6 * 14

    def lightness(row, column):
        return sum(cells[6 * row + column].get_facecolor()[:3])

    # SimCLR's Z1 holds more of ws than of w2, by us and by the paper.
    assert lightness(0, 2) < lightness(0, 1)
    assert lightness(0, 5) < lightness(0, 4)


def test_a_method_that_the_paper_does_not_have_makes_no_table():
    with pytest.raises(NothingToDraw, match="by the readouts of the paper's Table 1"):
        drawn(as_results(records((0.5,), ("unimodal-ssl", "raw"))))


def test_only_the_papers_variant_is_in_the_table():
    runs = records((0.5,), ("simclr",))
    runs += [departing(run, "official", {"normalize": False}, {"shared": 5.0}) for run in runs]
    drawing = drawn(as_results(runs))
    assert set(drawing.numbers["variant"]) == {"paper"}
    assert "1 more variant not drawn" in drawing.markdown


def test_one_seed_has_numbers_without_intervals():
    drawing = drawn(as_results([record("simclr", 0.5, 0)]))
    assert "±" not in drawing.markdown
    assert drawing.numbers["low_bits"].isna().all()


@pytest.mark.parametrize(
    ("mean", "half", "signed", "text"),
    [
        (1.934, 0.021, False, "1.93 ± 0.02"),
        (-0.4, 0.5, True, "\N{MINUS SIGN}0.40 ± 0.50"),
        (-0.001, 0.002, False, "0.00 ± 0.00"),
        (-0.001, 0.002, True, "+0.00 ± 0.00"),
        (2.0, float("nan"), False, "2.00"),
        (float("nan"), float("nan"), False, ""),
    ],
)
def test_numbers_are_written_with_what_is_known(mean, half, signed, text):
    assert plus_minus(mean, half, signed=signed) == text
