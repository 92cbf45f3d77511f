"""Augmented copies: specifications, plans, exact information, and drawing on tensors.

``fctestbed.synthesis`` exposes the public names. ``spec``, ``plan`` and ``information`` need no
torch; ``views``, ``originals`` and ``augmenter`` do.
"""
