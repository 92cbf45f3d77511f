"""The commands of docs/clusters.md are ones that the tools take, and its files are there."""

import shlex

import pytest
import yaml
from code_blocks import ROOT, blocks_of, commands
from distributed.cli.dask_scheduler import main as scheduler
from distributed.cli.dask_worker import main as worker

from fctestbed.cli.main import run

TOOLS = {"scheduler": scheduler, "worker": worker}


def check_dask(words):
    name, *arguments = words
    TOOLS[name].make_context(name, arguments)


def check(words, tmp_path):
    tool, *rest = words
    if tool.endswith("dask"):
        check_dask(rest)
    elif tool == "ssh":
        check(shlex.split(rest[1]), tmp_path)
    elif tool == "srun":
        check_dask(rest[rest.index("dask") + 1 :])
    elif tool == "fctestbed":
        assert run([*rest, "--dry-run", f"--out={tmp_path / 'rows'}"]) == 0
    elif tool == "python":
        assert (ROOT / rest[0]).is_file()
        assert run(["sweep", *rest[2:], "--dry-run", f"--out={tmp_path / 'rows'}"]) == 0
    else:
        assert tool == "kubectl"
        assert rest[0] in ("apply", "logs", "delete")
        assert "--filename" not in rest or (ROOT / rest[2]).is_file()


def test_the_page_s_commands_are_ones_that_the_tools_take(tmp_path, capsys):
    texts = [block for block in blocks_of("docs/clusters.md") if block.language == "text"]
    found = [words for block in texts for words in commands(block.text)]
    assert len(found) >= 12
    for words in found:
        check(words, tmp_path)
    with pytest.raises(Exception, match="No such option"):
        check(["dask", "worker", "--nthread", "1", "--cores", "2"], tmp_path)


def test_the_manifest_s_parts_fit_each_other_and_its_commands_are_taken(tmp_path, capsys):
    text = (ROOT / "examples" / "kubernetes" / "sweep.yaml").read_text(encoding="utf-8")
    parts = {(part["kind"], part["metadata"]["name"]): part for part in yaml.safe_load_all(text)}
    assert len(parts) == 5
    pods = {
        name: part["spec"]["template"]["spec"]
        for (kind, name), part in parts.items()
        if kind in ("Deployment", "Job")
    }
    (images,) = {pod["containers"][0]["image"] for pod in pods.values()}
    assert images
    for pod in pods.values():
        words = pod["containers"][0]["command"]
        check([word for word in words if not word.startswith("--figures")], tmp_path)
    service = parts["Service", "fctestbed-scheduler"]["spec"]
    labels = parts["Deployment", "fctestbed-scheduler"]["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    (volume,) = pods["fctestbed-sweep"]["volumes"]
    assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in parts
