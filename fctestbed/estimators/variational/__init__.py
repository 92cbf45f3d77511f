"""Estimators trained on one part of the samples, stopped on a second and evaluated on a third.

Their classes are in ``critics`` and ``learned_densities``.
"""
