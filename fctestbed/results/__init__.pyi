from .checkpoint_files import (
    CHECKPOINTS as CHECKPOINTS,
    Checkpoint as Checkpoint,
    CheckpointState as CheckpointState,
    check_checkpoints as check_checkpoints,
    checkpoint_path as checkpoint_path,
    read_checkpoint as read_checkpoint,
    remove_checkpoint_drafts as remove_checkpoint_drafts,
    remove_checkpoints as remove_checkpoints,
    remove_damaged_checkpoints as remove_damaged_checkpoints,
    remove_stale_checkpoints as remove_stale_checkpoints,
    write_checkpoint as write_checkpoint,
)
from .contents import (
    Contents as Contents,
    Damage as Damage,
)
from .database import AxisCells as AxisCells
from .description import (
    Description as Description,
    Grow as Grow,
)
from .directory_drafts import new_directory as new_directory
from .encoder_files import (
    ENCODER_KEY as ENCODER_KEY,
    ENCODERS as ENCODERS,
    KeptEncoder as KeptEncoder,
    check_encoder_place as check_encoder_place,
    encoder_path as encoder_path,
    read_encoder as read_encoder,
    remove_drafts as remove_drafts,
    write_encoders as write_encoders,
)
from .encoder_state import (
    EncoderState as EncoderState,
    NamedEncoders as NamedEncoders,
    check_encoders as check_encoders,
    set_damaged_encoders_aside as set_damaged_encoders_aside,
    shortened as shortened,
)
from .export import (
    FORMATS as FORMATS,
    Exported as Exported,
    export_results as export_results,
    export_sweep as export_sweep,
)
from .files import (
    check_directory as check_directory,
    write_atomically as write_atomically,
)
from .joined import (
    StorePart as StorePart,
    write_joined_store as write_joined_store,
)
from .judged_columns import (
    CALIBRATION_COLUMNS as CALIBRATION_COLUMNS,
    READOUT_COLUMNS as READOUT_COLUMNS,
)
from .load import (
    Results as Results,
    load_results as load_results,
)
from .lock import driver_of as driver_of
from .memory import results_of as results_of
from .plain import to_json as to_json
from .refusal import (
    StoreRefused as StoreRefused,
    describe_difference as describe_difference,
)
from .repair import (
    Repair as Repair,
    drop_damaged_runs as drop_damaged_runs,
    find_damage as find_damage,
    store_file as store_file,
)
from .run_stream import (
    RunStream as RunStream,
    StoredRunRows as StoredRunRows,
)
from .schema import (
    ACCURACY_COLUMNS as ACCURACY_COLUMNS,
    ALONG_COLUMNS as ALONG_COLUMNS,
    CAPTURED_COLUMNS as CAPTURED_COLUMNS,
    PAPER as PAPER,
    RUN_COLUMNS as RUN_COLUMNS,
    SCORE_COLUMNS as SCORE_COLUMNS,
    AccuracyRow as AccuracyRow,
    AlongRow as AlongRow,
    AxisValue as AxisValue,
    CapturedRow as CapturedRow,
    RunRecord as RunRecord,
    ScoreRow as ScoreRow,
)
from .store import (
    STORE_NAME as STORE_NAME,
    ResultsStore as ResultsStore,
)
from .stored import (
    StoredRun as StoredRun,
    stored_records as stored_records,
    stored_runs as stored_runs,
)
from .vocabulary import (
    ALIGNMENT as ALIGNMENT,
    BLOCKS as BLOCKS,
    CHANNEL as CHANNEL,
    EFFECTIVE_RANK as EFFECTIVE_RANK,
    JOINT as JOINT,
    KNN as KNN,
    KNN_PROBE as KNN_PROBE,
    LABEL as LABEL,
    LINEAR as LINEAR,
    LINEAR_CKA as LINEAR_CKA,
    LINEAR_PROBE as LINEAR_PROBE,
    LOSS as LOSS,
    MLP as MLP,
    MLP_PROBE as MLP_PROBE,
    MODALITY_GAP as MODALITY_GAP,
    RATE as RATE,
    RATE_WHITENED as RATE_WHITENED,
    TRAINING as TRAINING,
    UNIFORMITY as UNIFORMITY,
    channel_name as channel_name,
    equal_width_name as equal_width_name,
    few_shot_name as few_shot_name,
    loss_name as loss_name,
    pair_name as pair_name,
)
