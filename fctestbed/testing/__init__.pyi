from .estimator_checks import check_estimator as check_estimator
from .estimator_subject import EstimatorCheckFailed as EstimatorCheckFailed
from .method_checks import (
    METHOD_CLAUSES as METHOD_CLAUSES,
)
from .method_checks import (
    MethodCheckFailed as MethodCheckFailed,
)
from .method_checks import (
    check_method as check_method,
)
from .method_checks import (
    method_failures as method_failures,
)
from .strategies import (
    bit_channels as bit_channels,
)
from .strategies import (
    bits_in_noise as bits_in_noise,
)
from .strategies import (
    gaussian_pairs as gaussian_pairs,
)
from .strategies import (
    gaussian_triples as gaussian_triples,
)
from .strategies import (
    joint_distributions as joint_distributions,
)
