"""Worlds whose information is known exactly: specifications, data, truth and augmented copies.

Names are imported at first use: augmented copies need torch, the rest does not.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
