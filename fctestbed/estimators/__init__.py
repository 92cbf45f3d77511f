"""Estimators of information: arrays in, estimates out. They know nothing of worlds or training.

Names are imported when they are first used: probes need torch, estimators from counts do not.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
