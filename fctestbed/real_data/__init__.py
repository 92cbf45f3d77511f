"""Real data: arrays of MultiBench and others, trained on with the paper's encoders.

Names are imported when they are first used: reading a file needs no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
