"""Checks of the contracts of methods and estimators, and hypothesis strategies of known laws.

For the tests of other packages. Names are imported at their first use: the strategies need
hypothesis, the checks do not.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
