"""Losses and bits as TensorBoard's event files, with a fake writer."""

import sys
from pathlib import Path

import pytest
from tiny_sweeps import TINY_OPTIONS, tiny_sweep

import fctestbed.sweep.event_log as module
from fctestbed.cli.main import run
from fctestbed.results import load_results
from fctestbed.sweep import EventLog, run_sweep, tensorboard_writer
from fctestbed.sweep.driver import Silent


class Writers:
    """Keeps what each directory's writer was given."""

    def __init__(self):
        self.scalars = {}
        self.n_open = 0

    def __call__(self, place):
        scalars = self.scalars.setdefault(place, [])
        self.n_open += 1
        writers = self

        class Writer:
            def add_scalar(self, tag, value, step):
                scalars.append((tag, value, step))

            def close(self):
                writers.n_open -= 1

        return Writer()


class Quiet(Silent):
    def __init__(self):
        self.said = []

    def begin(self, plan, executor):
        self.said.append("begin")

    def progress(self, progress):
        pass

    def committed(self, unit, records):
        self.said.append(unit)


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    out, writers, display = tmp_path_factory.mktemp("sweep"), Writers(), Quiet()
    spec = tiny_sweep(
        unique_ratio=[0.5],
        measurement={"along": 2, "rate": {"rates": [4.0]}},
        axes={"train.warmup": [0, 2]},
    )
    log = EventLog(display, out / "events", writers)
    run_sweep(spec, out, device="cpu", workers=1, keep_encoders=False, display=log)
    assert display.said[0] == "begin"
    assert len(display.said) > 1
    assert writers.n_open == 0
    places = {str(Path(key).relative_to(out / "events")): value
              for key, value in writers.scalars.items()}  # fmt: skip
    return out, places


def test_each_run_has_a_directory_of_its_own(logged):
    _, places = logged
    assert set(places) == {
        "raw/ratio=0.5,seed=0",
        "simclr/ratio=0.5,train.warmup=0,seed=0",
        "simclr/ratio=0.5,train.warmup=2,seed=0",
    }


def test_losses_and_bits_are_those_of_the_rows(logged):
    out, places = logged
    scalars = places["simclr/ratio=0.5,train.warmup=0,seed=0"]
    assert any(tag == "loss_nats/total" and step > 0 for tag, _, step in scalars)
    rows = load_results(out).captured
    rows = rows[(rows["method"] == "simclr") & (rows["train.warmup"] == 0)]
    label = rows[(rows["readout"] == "joint") & (rows["quantity"] == "label")]
    by_tag = {tag: value for tag, value, step in scalars if step == 10}
    assert by_tag["bits/label/rate=4"] in label["value_bits"].to_list()
    assert by_tag["bits/label/linear_probe"] in label["value_bits"].to_list()
    along = {step for tag, _, step in scalars if tag == "bits/label/rate=4"}
    assert len(along) > 1
    assert not any("[" in tag for tag, _, _ in scalars)


def test_a_method_that_is_not_trained_has_bits_alone(logged):
    _, places = logged
    tags = {tag for tag, _, _ in places["raw/ratio=0.5,seed=0"]}
    assert "bits/label/rate=4" in tags
    assert not any(tag.startswith("loss") for tag in tags)


def test_without_the_package_a_log_is_refused_before_anything_is_written(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    out = tmp_path / "out"
    command = ["sweep", "--methods=raw", *TINY_OPTIONS, f"--out={out}", "--log=tensorboard"]
    assert run(command) == 2
    line = capsys.readouterr().err
    assert "--log: expected the package tensorboard to be installed (pip install" in line
    assert not out.exists()
    assert run(["sweep", "--log=tensorbord"]) == 2
    assert "did you mean tensorboard?" in capsys.readouterr().err


def test_with_the_package_the_writer_is_torch_s(monkeypatch):
    class Fake:
        SummaryWriter = Writers

    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", Fake)
    assert tensorboard_writer() is Writers
