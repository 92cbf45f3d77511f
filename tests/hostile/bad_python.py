# ruff: noqa: E501, PLR0912
"""Bad arguments of the Python API."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from bad import HUGE, Bad

import fctestbed as fc


def python() -> Iterator[Bad]:
    """The same in Python."""
    spec: Any = fc.WorldSpec()
    results = []

    def loaded() -> Any:
        results[:] = results or [fc.load_results("rows")]
        return results[0]

    def api(name: str, call: Callable[[], Any], names: str, quick: bool = True) -> Bad:
        return Bad("Python", call, names, name=name, quick=quick)

    wrong: tuple[Any, ...] = (None, "x", 3, [], {"n_train": 4})
    x = np.zeros(50)
    for value in wrong:
        yield api(
            f"make_dataset({value!r}, 0)", lambda v=value: fc.make_dataset(v, 0), "spec: expected"
        )
        yield api(f"world_truth({value!r})", lambda v=value: fc.world_truth(v), "spec: expected")
        yield api(f"run_sweep({value!r})", lambda v=value: fc.run_sweep(v, "new"), "spec: expected")
        yield api(f"measure({value!r})", lambda v=value: fc.measure(v, {}), "world: expected")
        yield api(
            f"measure_sweep({value!r})",
            lambda v=value: fc.measure_sweep(v, out="new"),
            "directory: expected",
        )
        yield api(f"load_encoder({value!r})", lambda v=value: fc.load_encoder(v, "a"), "expected")
        yield api(
            f"load_encoder(rows, {value!r})",
            lambda v=value: fc.load_encoder("rows", v),
            "expected",
        )
        yield api(
            f"draw_figures({value!r})",
            lambda v=value: fc.draw_figures(v, "new"),
            "results: expected",
        )
        yield api(f"calibrate({value!r})", lambda v=value: fc.calibrate(v), "estimators: expected")
    for seed in (None, "x", 1.5, -1, 2**63, True, [0]):
        yield api(
            f"make_dataset(spec, {seed!r})",
            lambda s=seed: fc.make_dataset(spec, s),
            "seed: expected",
        )
    for value in (3, "x", [1], {"world": 3}, {3: 4}, {"seeds": None}, {"axes": 3}, {"methods": "raw"},
                  {"unique_ratio": [2]}, {"world": {"n_train": 10**400}}, {"train": {"steps": 1.5}},
                  {"settings": {"simclr": {"temperature": float("nan")}}}, {"variants": 3}):  # fmt: skip
        yield api(f"sweep_spec({value!r:.50})", lambda v=value: fc.sweep_spec(v), "expected")
    for preset in (3, b"quick", "x", ["quick"]):
        yield api(
            f"sweep_spec(preset={preset!r})",
            lambda p=preset: fc.sweep_spec(preset=p),
            "preset: expected",
        )
    for fields in ({"n_train": 0}, {"n_train": "x"}, {"colour": 1}, {"latents": 3}, {"label": {"kind": "x"}},
                   {"label": None}, {"n_train": 1.5}, {"n_train": HUGE}):  # fmt: skip
        yield api(f"WorldSpec(**{fields!r:.40})", lambda f=fields: fc.WorldSpec(**f), "expected")
    yield api("SweepSpec(seeds=3)", lambda: fc.SweepSpec(seeds=3), "seeds: expected")
    yield api("TrainSpec(steps=0)", lambda: fc.TrainSpec(steps=0), "steps: expected")
    for name in (None, 3, "x", HUGE, ["ksg1"]):
        yield api(
            f"estimate(estimator={name!r:.30})",
            lambda n=name: fc.estimate(x, x, estimator=n),
            "estimator: expected",
        )
    for value in (None, 3, "text", {"a": 1}, [[1], [1, 2]]):
        yield api(
            f"estimate({value!r}, x)",
            lambda v=value: fc.estimate(v, x, estimator="ksg1"),
            "[xX]: expected",
        )
    for how in ({"repetitions": 0}, {"repetitions": "x"}, {"repetitions": 1.5}, {"n": 5}, {"n": ["x"]}, {"n": ()},
                {"n": [1.5]}, {"workers": "x"}, {"seed": "x"}, {"seed": -1}, {"seed": 0.5}, {"laws": ["x"]},
                {"laws": 3}, {"laws": []}, {"cell_seconds": "x"}, {"parts": 3}):  # fmt: skip
        yield api(f"calibrate({how!r})",
                  lambda h=how: fc.calibrate({"plugin": fc.make_estimator("plugin")}, **h),
                  f"{next(iter(how))}: expected")  # fmt: skip
    yield api("calibrate({'a': 3})", lambda: fc.calibrate({"a": 3}), "estimators: expected")
    for how in ({"formats": "png"}, {"formats": ["foo"]}, {"formats": 3}, {"formats": []}, {"heatmap_ratio": "x"},
                {"heatmap_ratio": 2}, {"table_ratio": float("nan")}, {"estimator": 3}, {"x": 3}, {"x": "foo"}):  # fmt: skip
        yield api(f"draw_figures({how!r})", lambda h=how: fc.draw_figures(loaded(), "new", **h),
                  f"{next(iter(how))}: expected")  # fmt: skip
    yield api("draw_figures(out=3)", lambda: fc.draw_figures(loaded(), 3), "out_dir: expected")
    data = fc.make_dataset(fc.WorldSpec.model_validate(TINY_WORLD), 0)
    for codes in (
        None,
        3,
        {},
        {"a": 1},
        {"train_z1": np.zeros(3)},
        {3: np.zeros(3)},
        [np.zeros(3)],
    ):
        yield api(f"measure(data, {codes!r:.40})", lambda c=codes: fc.measure(data, c), "expected")
    for how in ({"spec": 3}, {"device": "tpu"}, {"device": 3}, {"device": "cpu:²"}):
        yield api(
            f"measure(**{how!r})",
            lambda h=how: fc.measure(data, codes_of(data), **h),
            f"{next(iter(how))}: expected",
        )
    for value in (3, None, [1]):
        yield api(f"load_dataset({value!r})", lambda v=value: fc.load_dataset(v), "path: expected")
        yield api(
            f"load_results({value!r})",
            lambda v=value: fc.load_results(v),
            "directory|path|results: expected",
        )
    for how in ({"workers": 0}, {"workers": "x"}, {"max_stack": 0}, {"device": 3}, {"device": "cpu:²"},
                {"workers": 1.5}):  # fmt: skip
        yield api(f"run_sweep({how!r})", lambda h=how: fc.run_sweep(fc.sweep_spec(TINY_SWEEP), "new", **h),
                  f"{next(iter(how))}: expected")  # fmt: skip
    for method in (3, None, "x", int):
        yield api(f"check_method({method!r})", lambda m=method: fc.check_method(m), "expected")
    for estimator in (3, None, "ksg1"):
        yield api(
            f"check_estimator({estimator!r})",
            lambda e=estimator: fc.check_estimator(e),
            "estimator: expected",
        )


TINY_WORLD = {
    "latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1},
    "observation": {"kind": "linear", "dim1": 6, "dim2": 6},
    "n_train": 64,
    "n_test": 32,
}
TINY_SWEEP = {"unique_ratio": [0.0], "methods": ["raw"], "seeds": [0], "world": TINY_WORLD}


def codes_of(data: Any) -> dict[str, Any]:
    """Representations that can be measured."""
    return {"train_z1": data.train.x1, "test_z1": data.test.x1}
