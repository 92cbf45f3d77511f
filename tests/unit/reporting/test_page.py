"""The report's page: what is on it, that anybody can read it, and that it loads nothing."""

import re
from itertools import pairwise

import pandas as pd
import pytest
from html_tree import parse
from matplotlib.figure import Figure
from synthetic_results import RATES, as_results, at_world, joined, records

from fctestbed.plotting import FIGURES, Drawing
from fctestbed.reporting import REPORT_NAME, conclusions, page as page_module, report, write_report
from fctestbed.reporting.captions import CAPTIONS, figure_words
from fctestbed.reporting.colors import contrast
from fctestbed.results import export_results

METHODS = ("simclr", "factorcl-sup", "untrained", "raw", "supervised")
SPEC = {"methods": list(METHODS), "unique_ratio": [0.0, 0.5, 1.0], "seeds": [0, 1, 2]}
NASTY = "<img src=x onerror=alert(1)> & \"q\" 'r' {{ 7 * 7 }}"


@pytest.fixture(scope="module")
def results():
    return as_results(records((0.0, 0.5, 1.0), METHODS, (0, 1, 2), rates=RATES[:3]), SPEC)


@pytest.fixture(scope="module")
def page(results):
    return report(results, directory="sweeps/some sweep")


@pytest.fixture(scope="module")
def tree(page):
    return parse(page)


@pytest.fixture
def no_figures(monkeypatch):
    """Drawing takes nearly all of a page's time."""
    monkeypatch.setattr(page_module, "sweep_drawings", lambda results, rate: {})


def variables(page):
    """The page's variables in both schemes: their last values."""
    light, dark = {}, {}
    for selector, body in re.findall(r"(:root[^{]*)\{([^{}]*)\}", page):
        found = dict(re.findall(r"(--\w+):\s*(#[0-9a-f]{6})", body))
        (dark if "dark" in selector else {} if "light" in selector else light).update(found)
    return light, dark


def test_the_sentences_are_those_of_the_rows(results, tree):
    shown = [one.text for one in tree.all("p") if one.attributes.get("class") == "sentence"]
    assert shown == [" ".join(text.split()) for text in conclusions(results)]


def test_every_figure_is_drawn_in_vectors_with_text(tree):
    figures = list(tree.all("figure"))
    assert len(figures) >= 6
    for figure in figures:
        (svg,) = figure.all("svg")
        assert svg.attributes["role"] == "img"
        assert next(svg.all("text")).text
    assert not list(tree.all("image", "img", "canvas"))


def test_figures_have_a_title_and_a_description_for_those_who_cannot_see_them(tree):
    ids = {one.attributes["id"]: one for one in tree.all() if "id" in one.attributes}
    for svg in tree.all("svg"):
        names = svg.attributes["aria-labelledby"].split()
        assert [ids[name].tag for name in names] == ["title", "desc"]
        assert all(ids[name].text for name in names)


def test_ids_are_unique_and_references_lead_somewhere(page, tree):
    ids = [one.attributes["id"] for one in tree.all() if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    used = re.findall(r'(?:href="|url\()#([^")]+)', page)
    used += [n for names in re.findall(r'aria-labelledby="([^"]+)"', page) for n in names.split()]
    assert set(used) <= set(ids)


def test_nothing_is_loaded_from_anywhere(page, tree):
    assert not re.search(r"https?:|@import|url\((?!#)", page)
    for one in tree.all():
        loading = {"src", "srcset", "poster", "action", "formaction", "data", "ping", "background"}
        assert not loading & set(one.attributes), one.tag
        assert one.tag not in {"link", "iframe", "object", "embed", "base", "audio", "video"}
        if "href" in one.attributes:
            assert one.attributes["href"].startswith("#")
        assert not [name for name in one.attributes if name.startswith("on")]
    (policy,) = (
        one.attributes["content"]
        for one in tree.all("meta")
        if one.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'")


def test_landmarks_and_language_are_there(tree):
    (html,) = tree.all("html")
    assert html.attributes["lang"] == "en"
    assert [len(list(tree.all(tag))) for tag in ("header", "nav", "main", "footer")] == [1] * 4
    assert next(tree.all("title")).text == "Report of the sweep some sweep"
    for section in tree.all("section", "nav"):
        assert {"aria-labelledby", "aria-label"} & set(section.attributes)


def test_headings_are_in_order(tree):
    levels = [int(one.tag[1]) for one in tree.all("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_headers_with_scope(tree):
    tables = list(tree.all("table"))
    assert len(tables) > 6
    for table in tables:
        assert next(table.all("caption")).text
        for head in table.all("th"):
            assert head.attributes["scope"] == ("col" if head.within("thead") else "row")
            assert head.text or not head.within("thead")
        (names,) = (list(row.all("th")) for row in next(table.all("thead")).all("tr"))
        for body in table.all("tbody"):
            assert {len(list(row.all("th", "td"))) for row in body.all("tr")} <= {len(names)}


def test_controls_have_names_and_hide_without_javascript(tree):
    for button in tree.all("button"):
        assert button.text
        assert "hidden" in button.attributes
    for region in tree.all():
        if region.attributes.get("role") == "region":
            assert {"aria-label", "aria-labelledby"} & set(region.attributes)
            assert region.attributes["tabindex"] == "0"


def test_texts_have_contrast_in_both_schemes(page):
    light, dark = variables(page)
    assert set(light) == set(dark)
    for colors in (light, dark):
        for back in ("--page", "--panel", "--mark", "--button", "--cffffff"):
            for front in ("--text", "--muted", "--accent"):
                assert contrast(colors[front], colors[back]) >= 4.5, (front, back)
        for text in ("--c000000", "--c555555"):
            assert contrast(colors[text], colors["--cffffff"]) >= 4.5


def test_every_variable_that_is_used_has_a_value(page):
    light, _ = variables(page)
    assert set(re.findall(r"var\((--\w+)\)", page)) <= set(light)


def test_each_part_has_the_command_that_makes_it(tree):
    commands = [one.text for one in tree.all("code") if one.parent.attributes.get("class")]
    for name in ("report", "figures", "export", "check"):
        assert any(c.startswith(f"fctestbed {name} 'sweeps/some sweep'") for c in commands)
    assert "fctestbed sweep --config sweep.toml" in commands


@pytest.mark.usefixtures("no_figures")
def test_texts_of_a_store_are_escaped():
    runs = records((0.0, 1.0), ("simclr", "raw"), (0,), unfinished=[("simclr", 0.0, 0)])
    results = as_results(runs, {"methods": [NASTY], "note": NASTY})
    frame = results.runs
    frame["method"] = frame["method"].replace("simclr", NASTY)
    frame["reason"] = frame["reason"].replace("loss is nan at step 40", NASTY)
    results.captured["method"] = results.captured["method"].replace("simclr", NASTY)
    frame["provenance"] = ['{"platform": "</script><script>alert(2)</script>"}'] * len(frame)
    page = report(results, directory=f"a/{NASTY}")
    assert "<img" not in page
    assert page.count("<script>") == 1
    assert "{{ 7 * 7 }}" in page
    tree = parse(page)
    assert NASTY in [cell.text for cell in tree.all("td", "th")]


@pytest.mark.usefixtures("no_figures")
def test_texts_of_a_figure_are_escaped(monkeypatch):
    figure = Figure()
    figure.text(0.5, 0.5, NASTY)
    drawing = Drawing(figure, pd.DataFrame({"method": [NASTY]}))
    monkeypatch.setattr(page_module, "sweep_drawings", lambda *_: {f"r90_{NASTY}": drawing})
    page = report(as_results(records((0.0,), ("raw",), (0,))))
    assert "<img" not in page
    assert NASTY in [text.text for text in parse(page).all("text")]


@pytest.mark.usefixtures("no_figures")
def test_the_same_rows_give_the_same_page(results):
    assert report(results, directory="d") == report(results, directory="d")


@pytest.mark.usefixtures("no_figures")
def test_the_page_of_a_sweep_without_a_finished_run_says_so():
    unfinished = [("simclr", 0.0, seed) for seed in (0, 1)]
    page = report(as_results(records((0.0,), ("simclr",), (0, 1), unfinished=unfinished)))
    tree = parse(page)
    assert "No finished run has label bits" in page
    assert not list(tree.all("svg"))
    assert "divergence" in [cell.text for cell in tree.all("th", "td")]


@pytest.mark.usefixtures("no_figures")
def test_a_sweep_along_another_axis_asks_its_own_question():
    some = as_results(records((0.5,), ("simclr",), (0, 1)))
    page = report(joined(*(at_world(some, train__steps=n) for n in (5, 10))))
    assert "representation as train.steps varies?" in parse(page).text


@pytest.mark.usefixtures("no_figures")
def test_a_page_of_one_world_asks_without_an_axis():
    page = report(as_results(records((0.5,), ("raw",), (0,))))
    assert "read from the representation of each method?" in parse(page).text


def test_every_figure_of_a_sweep_has_words():
    assert set(CAPTIONS) == set(FIGURES)
    assert figure_words("label_bits_noise=0.1")[0] == "Label bits: noise=0.1"
    assert figure_words("label_bits_linear")[0] == "Label bits by a linear probe"


@pytest.mark.usefixtures("no_figures")
def test_another_rate_is_the_one_of_all_parts(results):
    page = report(results, directory="d", rate=8.0)
    assert "Read at R = 8 bits" in page
    assert "fctestbed export d --out rows" in page
    assert "fctestbed report d --rate 8" in page


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"rate": 3.0}, "rate: expected one of 2, 4, 8, got 3"),
        ({"results": 3}, "results: expected what load_results returns, got int"),
        ({"results": as_results([])}, "results: expected runs to report, got none"),
    ],
)
def test_bad_input_is_refused_in_one_line(results, bad, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        report(**{"results": results, **bad})


@pytest.mark.usefixtures("no_figures")
def test_a_report_is_written_next_to_the_rows_or_elsewhere(tmp_path):
    results = as_results(records((0.0,), ("raw",), (0,)))
    export_results(results, tmp_path / "rows")
    path = write_report(tmp_path / "rows")
    assert path == tmp_path / "rows" / REPORT_NAME
    other = write_report(tmp_path / "rows", tmp_path / "new" / "page.html")
    assert other.read_bytes() == path.read_bytes()
