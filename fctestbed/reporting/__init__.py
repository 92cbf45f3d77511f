"""A sweep's report: one HTML page made from its rows, which loads nothing.

Names are imported when they are first used. May import ``fctestbed.results``,
``fctestbed.plotting``, ``fctestbed.claims`` and Jinja2; no worlds, networks or training.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
