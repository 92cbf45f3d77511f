"""Trainings of methods on real data over seeds, stored as they are done, and their tables.

May import pandas, ``fctestbed.results`` and this package.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fctestbed.objectives import (
    JOINT,
    MLP_ENCODER,
    encoder_source,
    find_method,
    method_source,
)
from fctestbed.real_data.known import KNOWN
from fctestbed.real_data.multimodal import Multimodal
from fctestbed.real_data.probing import probe_rows
from fctestbed.real_data.settings import ENCODERS, EncoderSpec, RealSpec
from fctestbed.real_data.store import RunStore
from fctestbed.real_data.tables import RealResults, results_of
from fctestbed.real_data.training import (
    Trained,
    constant_heads,
    data_shape,
    read_all,
    train_method,
)
from fctestbed.results import write_atomically
from fctestbed.sweep import describe_error, merge, resolve_device
from fctestbed.synthesis import digest

# Those that say what is trained, and not on how many.
_VARYING = ("methods", "seeds", "settings", "variant")


def real_spec(data: Multimodal, values: Mapping[str, Any] | None = None) -> RealSpec:
    """Settings for a data set: the paper's, with values in their place.

    Args:
        data: the data; ``plain`` ones get the settings of MOSI, with MLPs for vectors.
        values: nested fields of ``RealSpec``.

    Raises:
        ValueError: one line that begins with the field.
    """
    _check_data(data)
    known = KNOWN.get(data.dataset, KNOWN["mosi"])
    own: dict[str, Any] = {
        "nets": known.nets.model_dump(),
        "train": known.train.model_dump(),
    }
    for field, shape in (("encoder1", data.shape1), ("encoder2", data.shape2)):
        encoder = getattr(known, field).model_dump()
        if shape.steps is None:
            encoder["kind"] = "mlp"
        own[field] = encoder
    spec = RealSpec.model_validate(merge(own, values or {}))
    n_train, size = len(data.train), spec.train.batch_size
    if size > n_train:
        raise ValueError(
            f"train.batch_size: expected at most the {n_train} training samples, got {size}"
        )
    data_shape(data, spec)
    return spec


def train_real(
    data: Multimodal,
    spec: RealSpec | None = None,
    *,
    out: str | Path | None = None,
    device: str = "auto",
    report: Callable[[str], None] | None = None,
) -> RealResults:
    """Train methods on real data, and probe their readouts on the test samples.

    Nothing is chosen by the test samples: numbers of steps are fixed, and the valid samples choose
    the probe's penalty. No information is claimed beyond lower bounds, because no truth is known.

    Args:
        data: the data, by ``load_multimodal``.
        spec: what is trained; the paper's settings for the data set by default.
        out: a directory that keeps each run as it is done, and the tables; runs that it has are
            not done again. It may grow by methods and seeds, and refuses other data or settings.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        report: called with one line for each run, and while it is trained.

    Raises:
        ValueError: one line, for impossible settings, an unknown device, or a directory with runs
            of other data or settings; nothing is written then.
        StoreRefused: a file of the directory is damaged.
    """
    _check_data(data)
    spec = real_spec(data) if spec is None else spec
    if not isinstance(spec, RealSpec):
        raise ValueError(f"spec: expected a RealSpec, as real_spec makes it, got {spec!r:.80}")
    device = resolve_device(device)
    data_shape(data, spec)
    settings = {
        name: value for name, value in spec.model_dump(mode="json").items() if name not in _VARYING
    }
    sources = [_source_of(encoder) for encoder in (spec.encoder1, spec.encoder2)]
    shared = {"data": data.description(), "settings": settings, "encoder_sources": sources}
    store = None if out is None else RunStore(Path(out), shared)
    found: dict[tuple[str, int], dict[str, Any]] = {}
    missing: dict[tuple[str, int], list[str]] = {}
    for method in spec.methods:
        for seed in spec.seeds:
            stored = None if store is None else store.run(method, seed, _settings_of(spec, method))
            if stored is None:
                missing.setdefault((_training_of(spec, method), seed), []).append(method)
            else:
                found[method, seed] = stored
    say = report or (lambda line: None)
    for place, ((name, seed), methods) in enumerate(sorted_by_seed(missing)):
        head = f"{place + 1} of {len(missing)}: {name}, seed {seed}"

        def steps(done: int, of: int, head: str = head) -> None:
            say(f"{head}: step {done} of {of}")

        # A training's random numbers depend on its method and settings, not on its data.
        key = digest({"method": name, "settings": _settings_of(spec, name), **_trained_by(spec)})
        try:
            trained = train_method(name, seed, data, spec, key=key, device=device, report=steps)
            contents = {method: _run(method, seed, trained, data, spec) for method in methods}
        # A user's method may raise anything; the other runs go on.
        except Exception as error:
            contents = {
                method: _without_rows(method, seed, spec, "failed", describe_error(error))
                for method in methods
            }
        for method, content in contents.items():
            content["device"] = device.partition(":")[0]
            found[method, seed] = content
            # A run that failed is tried again by the same call.
            if store is not None and content["status"] != "failed":
                store.put(method, seed, content)
            say(f"{method}, seed {seed}: {_said(content)}")
    ordered = [found[method, seed] for method in spec.methods for seed in spec.seeds]
    results = results_of(data, ordered)
    if out is not None:
        for name in ("rows", "runs", "summary", "published"):
            table: pd.DataFrame = getattr(results, name)
            write_atomically(Path(out, f"{name}.csv"), table.to_csv(index=False).encode())
    return results


def _check_data(data: Multimodal) -> None:
    if not isinstance(data, Multimodal):
        raise ValueError(
            f"data: expected Multimodal data, as load_multimodal returns them, got {data!r:.80}"
        )


def sorted_by_seed(
    missing: Mapping[tuple[str, int], list[str]],
) -> list[tuple[tuple[str, int], list[str]]]:
    """Trainings with the readers that they serve, all methods of one seed before the next seed."""
    return sorted(missing.items(), key=lambda one: one[0][1])


def _training_of(spec: RealSpec, method: str) -> str:
    """The name of the method whose training a method reads, if both have the same settings."""
    shared = find_method(method).trains_as
    if shared is None or _settings_of(spec, shared) != _settings_of(spec, method):
        return method
    return shared


def _settings_of(spec: RealSpec, method: str) -> dict[str, Any]:
    """Settings of a method with their defaults, and the digest of a user's file."""
    built: dict[str, Any] = spec.build_method(method).settings.model_dump(mode="json")
    source = method_source(method)
    return built if source is None else {**built, "source": source}


def _source_of(encoder: EncoderSpec) -> str | None:
    """The digest of a user's encoder's file."""
    return encoder_source(MLP_ENCODER if encoder.kind in ENCODERS else encoder.kind)


def _run(
    method: str, seed: int, trained: Trained, data: Multimodal, spec: RealSpec
) -> dict[str, Any]:
    if trained.diverged is not None:
        content = _without_rows(method, seed, spec, "diverged", trained.diverged)
        return {**content, "seconds": round(trained.seconds, 2)}
    reader = trained.method if method == trained.name else spec.build_method(method)
    rows = probe_rows(read_all(trained, reader, data), data, spec.ridges)
    return {
        **_without_rows(method, seed, spec, "ok", ""),
        "alarms": [*trained.alarms, *constant_heads(trained, data)],
        "seconds": round(trained.seconds, 2),
        "losses_nats": {
            name: [value if math.isfinite(value) else None for value in values]
            for name, values in trained.losses_nats.items()
        },
        # JSON has no NaN.
        "rows": [
            {
                name: None if isinstance(value, float) and math.isnan(value) else value
                for name, value in row.values().items()
            }
            for row in rows
        ],
    }


def _without_rows(
    method: str, seed: int, spec: RealSpec, status: str, alarm: str
) -> dict[str, Any]:
    return {
        "method": method,
        "seed": seed,
        "settings": _settings_of(spec, method),
        "seconds": 0.0,
        "losses_nats": {},
        "status": status,
        "alarms": [alarm] if alarm else [],
        "rows": [],
    }


def _trained_by(spec: RealSpec) -> dict[str, Any]:
    """What trainings depend on besides their method."""
    parts = ("nets", "train", "encoder1", "encoder2", "augmentation")
    return {name: value for name, value in spec.model_dump(mode="json").items() if name in parts}


def _said(run: Mapping[str, Any]) -> str:
    if run["status"] != "ok":
        return f"{run['status']} ({'; '.join(run['alarms'])})"
    (joint,) = (row for row in run["rows"] if row["readout"] == JOINT)
    return f"test accuracy {100 * joint['accuracy']:.1f} %"
