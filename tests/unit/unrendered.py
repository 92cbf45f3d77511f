"""Figures whose files are not rendered, for tests of which files there are and what they say."""

from matplotlib.text import Text

from fctestbed.plotting import files


def texts_for_files(monkeypatch):
    """In place of a picture a figure's file holds the figure's texts, a line each."""

    def encoded(drawing, ending):
        return "\n".join(text.get_text() for text in drawing.figure.findobj(Text)).encode()

    monkeypatch.setattr(files, "laid_out", lambda drawing: drawing)
    monkeypatch.setattr(files, "encoded", encoded)
