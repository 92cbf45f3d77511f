"""A referee for multimodal contrastive learning: worlds whose information is known, in bits.

Names are imported when they are first used, so that ``import fctestbed`` costs nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
