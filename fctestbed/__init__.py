"""A referee for multimodal contrastive learning."""

from fctestbed._version import __version__

__all__ = ["__version__"]
