from .estimator_checks import (
    check_estimator as check_estimator,
    estimator_failures as estimator_failures,
)
from .estimator_clauses import ESTIMATOR_CLAUSES as ESTIMATOR_CLAUSES
from .estimator_subject import EstimatorCheckFailed as EstimatorCheckFailed
from .method_checks import (
    METHOD_CLAUSES as METHOD_CLAUSES,
    MethodCheckFailed as MethodCheckFailed,
    check_method as check_method,
    method_failures as method_failures,
)
from .strategies import (
    bit_channels as bit_channels,
    bits_in_noise as bits_in_noise,
    gaussian_pairs as gaussian_pairs,
    gaussian_triples as gaussian_triples,
    joint_distributions as joint_distributions,
)
