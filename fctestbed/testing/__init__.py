"""For the tests of others: the contracts of methods and estimators as checks that name what is
broken, and strategies of distributions with known information.

Names are imported when they are first used: the checks do not need hypothesis, the strategies do.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
