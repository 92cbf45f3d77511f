"""Bounds on mutual information as functions of score matrices, in nats.

Owns the functionals. May import torch only.

``scores[..., i, j]`` is the critic's value of the pair (u_i, v_j); positives are on the diagonal.
Every function keeps the leading axes: a stack of runs gives one number per run.
"""

from fctestbed.bounds.comm import comm_terms_nats
from fctestbed.bounds.infonce import (
    Contrast,
    conditional_infonce_lower_bound_nats,
    infonce_lower_bound_nats,
    label_first_infonce_lower_bound_nats,
    label_infonce_lower_bound_nats,
    own_negatives_infonce_lower_bound_nats,
)
from fctestbed.bounds.nce_club import (
    conditional_nce_club_estimate_nats,
    nce_club_estimate_nats,
    own_negatives_nce_club_estimate_nats,
)
from fctestbed.bounds.nt_xent import nt_xent_nats
from fctestbed.bounds.variational import (
    OFFICIAL_CLAMP,
    clamped_logits,
    classifier_objective_nats,
    dv_estimate_nats,
    js_objective_nats,
    mine_objective_nats,
    nwj_lower_bound_nats,
)
from fctestbed.bounds.von_mises_fisher import vmf_divergence_nats, vmf_mean_length

__all__ = [
    "OFFICIAL_CLAMP",
    "Contrast",
    "clamped_logits",
    "classifier_objective_nats",
    "comm_terms_nats",
    "conditional_infonce_lower_bound_nats",
    "conditional_nce_club_estimate_nats",
    "dv_estimate_nats",
    "infonce_lower_bound_nats",
    "js_objective_nats",
    "label_first_infonce_lower_bound_nats",
    "label_infonce_lower_bound_nats",
    "mine_objective_nats",
    "nce_club_estimate_nats",
    "nt_xent_nats",
    "nwj_lower_bound_nats",
    "own_negatives_infonce_lower_bound_nats",
    "own_negatives_nce_club_estimate_nats",
    "vmf_divergence_nats",
    "vmf_mean_length",
]
