from .at_optimum import (
    AT_THE_END as AT_THE_END,
    INDIFFERENT as INDIFFERENT,
    OptimumJudgement as OptimumJudgement,
    judge_at_optimum as judge_at_optimum,
)
from .claim import (
    Assumption as Assumption,
    Claim as Claim,
    OptimumSpec as OptimumSpec,
    Prediction as Prediction,
)
from .comparison import Comparison as Comparison, compare as compare
from .docket import read_claim as read_claim, read_docket as read_docket
from .evidence import OPTIMUM as OPTIMUM, TRAINED as TRAINED
from .judgement import (
    AS_STATED as AS_STATED,
    NO_VERDICT as NO_VERDICT,
    Condition as Condition,
    Judgement as Judgement,
    docket_plan as docket_plan,
    judge as judge,
    plan_docket as plan_docket,
)
from .reading import Reading as Reading, Side as Side
from .statistics import (
    Decision as Decision,
    PairedDifferences as PairedDifferences,
    Region as Region,
    Verdict as Verdict,
    decide as decide,
    holm as holm,
    simultaneous_interval as simultaneous_interval,
)
