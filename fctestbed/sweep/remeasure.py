"""A sweep measured again with other settings, from the encoders that it kept: nothing is trained.

Its units are those of the sweep, with loading in place of training, so that equal settings give
equal rows. May import the rest of ``fctestbed.sweep`` and what is below it.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fctestbed._plugins import only_plugins
from fctestbed._records import InvalidSpec
from fctestbed.results import (
    ENCODER_KEY,
    ENCODERS,
    STORE_NAME,
    AlongRow,
    ResultsStore,
    StoredRun,
    StoreRefused,
    encoder_path,
    read_encoder,
    shortened,
    stored_runs,
)
from fctestbed.sweep.driver import (
    Display,
    Outcome,
    Silent,
    check_plugins,
    run_units,
)
from fctestbed.sweep.grid import RunSpec
from fctestbed.sweep.growth import MEASURED_FROM, OTHER_CONTENT, sweep_digest
from fctestbed.sweep.plan import DoneTraining, Unit
from fctestbed.sweep.presets import holds, merge
from fctestbed.sweep.resources import Resources
from fctestbed.sweep.spec import SweepSpec
from fctestbed.sweep.worker import end_a_worker_in_its_start
from fctestbed.synthesis import digest

_MEASUREMENT = "measurement"
_ALONG = f"{_MEASUREMENT}.along"


def measure_sweep(
    directory: str | Path,
    values: Mapping[str, Any] | None = None,
    *,
    out: str | Path,
    device: str = "auto",
    workers: int | None = None,
    max_stack: int | None = None,
    display: Display | None = None,
    allow_plugins: bool = False,
    engine: str = "auto",
    address: str | None = None,
) -> Outcome:
    """Measure a sweep again with other settings, from its kept encoders, into a new store.

    Nothing is trained. Runs whose measurement is the same have the same ids and, on the same device
    and number of threads, the same rows. Losses, alarms and divergence are those of the sweep, and
    with equal settings rows along training are too; with others there are none.

    Args:
        directory: the sweep's directory.
        values: measurement settings that differ from the sweep's, such as
            ``{"measurement": {"n_fit": 4096}}``.
        out: directory of the new store; made if missing, continued if it holds the same.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: worker processes; by default one per core on a CPU and none on a GPU.
        max_stack: most trainings in one stack; by default what the device gains from, and on a GPU
            what its free memory holds.
        display: what shows the progress.
        allow_plugins: whether code of the user's own that the sweep names (methods, a label
            function) may be imported.
        engine: as of ``run_sweep``; encoders travel to a cluster's workers with the units.
        address: as of ``run_sweep``.

    Returns:
        What was done. Runs whose encoders are missing are left out, and a note names them.

    Raises:
        StoreRefused: if the sweep's store or an encoder file is damaged, or ``out`` holds another
            sweep, is damaged, in use or cannot be written; nothing was written.
        ValueError: one line, for values that are no measurement, a directory without a sweep or
            without encoders, or code that changed since; nothing was written.
        WorkersCannotStart: if worker processes end before they have started.
        ClusterLost: if a cluster's scheduler has gone; what was done is stored.
    """
    end_a_worker_in_its_start()
    for name, given in (("directory", directory), ("out", out)):
        if not isinstance(given, str | Path):
            raise ValueError(f"{name}: expected the name of a directory, got {given!r:.80}")
    directory = Path(directory)
    if Path(out).resolve() == directory.resolve():
        raise ValueError(f"out: expected another directory than the sweep's, got {out}")
    resources = Resources.resolved(device, workers, max_stack, engine, address)
    source = _Source.read(directory)
    with nullcontext() if allow_plugins else only_plugins(()):
        spec = source.spec_with({} if values is None else values)
        trainings = source.trainings()
        _ = spec.grid
        check_plugins(spec)
    left_out: dict[str, None] = {}

    def loaded(unit: Unit) -> Unit:
        jobs = []
        for job in unit.jobs:
            done = trainings.get(job.training.key)
            if done is None:
                left_out.update(dict.fromkeys(run.run_id for run in job.runs))
            else:
                jobs.append(replace(job, done=done))
        return replace(unit, jobs=tuple(jobs))

    content = {**sweep_digest(spec)[0], MEASURED_FROM: source.digest}
    outcome = run_units(spec, out, content, resources, change=loaded, display=display or Silent())
    if not left_out:
        return outcome
    note = (
        f"{len(left_out)} runs left out, whose encoders are not in {directory / ENCODERS}: "
        f"{shortened(list(left_out))}"
    )
    return replace(outcome, notes=(*outcome.notes, note))


@dataclass(frozen=True)
class _Source:
    """A stored sweep to measure again.

    Attributes:
        directory: its directory.
        content: what identifies it.
        runs: its runs.
    """

    directory: Path
    content: Mapping[str, Any]
    runs: list[StoredRun]

    @classmethod
    def read(cls, directory: Path) -> "_Source":
        """The sweep of a directory.

        Raises:
            StoreRefused: if it is damaged.
            ValueError: if there is none.
        """
        if not (directory / STORE_NAME).is_file():
            raise ValueError(
                f"directory: expected a sweep's directory, with its {STORE_NAME}, got {directory}"
            )
        with ResultsStore.open_read(directory) as store:
            tables = store.tables()
        source = cls(directory, tables.sweep_spec, stored_runs(tables))
        if MEASURED_FROM in source.content:
            stores = sorted({str(run.provenance[MEASURED_FROM]["store"]) for run in source.runs})
            raise ValueError(
                f"directory: expected a sweep that kept its encoders, got {directory}, which was "
                f"itself measured from {', '.join(stores) or 'another sweep'}"
            )
        return source

    @property
    def digest(self) -> str:
        """The digest of the sweep: it does not depend on where the directory is."""
        return digest(self.content)

    def spec_with(self, values: Mapping[str, Any]) -> SweepSpec:
        """The sweep with other measurement settings.

        Raises:
            ValueError: one line that begins with the field.
        """
        others = [key for key in values if key != _MEASUREMENT] if _is_table(values) else [values]
        if others:
            raise ValueError(
                f"{others[0]}: expected settings of the measurement alone, such as "
                "measurement.n_fit, because nothing is trained again"
            )
        fields = {key: value for key, value in self.content.items() if key not in OTHER_CONTENT}
        for path in fields.get("axes", {}):
            if path.startswith(f"{_MEASUREMENT}.") and holds(values, path):
                raise ValueError(f"{path}: expected a field that is no axis of the sweep, got one")
        try:
            stored = SweepSpec.model_validate(fields)
        except InvalidSpec as error:
            raise ValueError(f"{self.directory}: {error}") from error
        spec = SweepSpec.model_validate(merge(fields, values))
        return stored if spec == stored else _without_along(spec, stored)

    def trainings(self) -> dict[str, DoneTraining]:
        """The trainings that can be measured again, by key.

        Raises:
            StoreRefused: if an encoder file is damaged.
            ValueError: if no training can be, or a method's code changed.
        """
        found: dict[str, DoneTraining] = {}
        along: dict[str, dict[str, tuple[AlongRow, ...]]] = {}
        for run in self.runs:
            spec = RunSpec.model_validate({**run.spec, "source": None})
            if run.spec.get("source") != spec.source:
                raise ValueError(
                    f"{spec.training.method}: expected the source {run.spec.get('source')}, got "
                    f"{spec.source}: its file changed after the sweep"
                )
            # By the id of this version, as the new runs have.
            of_training = along.setdefault(spec.training.key, {})
            of_training[spec.run_id] = run.along
            key = run.encoder_key
            is_whole = key is not None and encoder_path(self.directory, key).exists()
            # A training that some run could be measured from did not diverge.
            if is_whole or (run.status == "diverged" and spec.training.key not in found):
                found[spec.training.key] = self._done(run, key if is_whole else None, of_training)
        keys = [done.key for done in found.values() if done.key is not None]
        if not keys:
            raise ValueError(
                f"directory: expected kept encoders in {self.directory / ENCODERS}, got none: the "
                "sweep was made with --no-encoders or an earlier version, or they were removed"
            )
        for key in keys:
            try:
                read_encoder(self.directory, key)
            except StoreRefused as error:
                raise StoreRefused(
                    f"{error}: `fctestbed check {self.directory} --drop` sets damaged encoder "
                    "files aside"
                ) from error
        return found

    def _done(
        self, run: StoredRun, key: str | None, along: Mapping[str, tuple[AlongRow, ...]]
    ) -> DoneTraining:
        names = ("losses_nats", "head_spread", "alarms", "temperatures")
        origin = {"store": str(self.directory), "sweep": self.digest, "provenance": run.provenance}
        return DoneTraining(
            directory=self.directory,
            key=key,
            diverged=run.reason if key is None else None,
            diagnostics={name: run.diagnostics[name] for name in names if name in run.diagnostics},
            along=along,
            origin=origin if key is None else {**origin, ENCODER_KEY: key},
        )


def _without_along(spec: SweepSpec, stored: SweepSpec) -> SweepSpec:
    """The sweep without a measurement along training, for which nothing was kept.

    Raises:
        ValueError: one line, if such a measurement is asked for.
    """
    if spec.measurement.along not in (None, stored.measurement.along) or _ALONG in spec.axes:
        asked = spec.axes.get(_ALONG, spec.measurement.along)
        raise ValueError(
            f"{_ALONG}: expected none with other settings than the sweep's, as encoders during "
            f"training were not kept, got {asked}"
        )
    measurement = spec.measurement.model_copy(update={"along": None})
    return spec.model_copy(update={_MEASUREMENT: measurement})


def _is_table(values: object) -> bool:
    return isinstance(values, Mapping) and all(isinstance(key, str) for key in values)
