"""Every figure that a test of this directory draws has texts of 7 points or more in print."""

import pytest
from drawings import forget_drawings
from printed import small_texts
from synthetic_results import LADDER, as_results, records

from fctestbed.plotting import Drawing


@pytest.fixture(scope="module", autouse=True)
def _drawings_of_a_module():
    yield
    forget_drawings()


@pytest.fixture(autouse=True)
def _texts_are_large_enough(monkeypatch):
    drawn = []
    make = Drawing.__init__

    def kept(self, *args, **fields):
        make(self, *args, **fields)
        drawn.append(self.figure)

    monkeypatch.setattr(Drawing, "__init__", kept)
    yield
    assert {name for figure in drawn for name in small_texts(figure)} == set()


@pytest.fixture(scope="module")
def results():
    return as_results(records())


@pytest.fixture(scope="module")
def few():
    return as_results(records((0.0, 0.5, 1.0), ("simclr", "factorcl-ssl", "raw"), (0, 1)))


@pytest.fixture(scope="module")
def ladder():
    return as_results(records((0.0, 1.0), LADDER, (0, 1)))
