"""Claims as files, their verdicts from runs, and two sweeps compared with the same statistics.

Names are imported when they are first used: sweeps are compared without torch. May import
``fctestbed.sweep`` and what is below it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
