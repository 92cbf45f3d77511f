"""The results store, its schema, and what comes out of it as tables.

May import pandas and numpy; never torch, a world or a network: figures are drawn from here alone.
Names are imported when they are first used: a check of a directory needs no pandas.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
