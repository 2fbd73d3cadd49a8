# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Training in several processes: two of them, with gloo, on the CPU."""

from __future__ import annotations

import csv
import json
import logging
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import two_processes as job
from monai.bundle import ConfigWorkflow

from monai_srgan.apps import figshare_datalist
from monai_srgan.phantoms import write_phantom_dataset

pytestmark = pytest.mark.skipif(
    not (torch.distributed.is_available() and torch.distributed.is_gloo_available()), reason="torch is without gloo"
)

ROOT = Path(__file__).parents[2]
BOTH = ("train.json", "multi_gpu_train.json")
DEADLINE = 150  # seconds, of a launch that takes about 15


# torchrun picks a free port and opens it a moment later: another program may be faster
PORT_TAKEN = re.compile(r"EADDRINUSE|[Aa]ddress already in use|RendezvousConnectionError|failed to listen")


def torchrun(*arguments: str, again: bool = True) -> str:
    """Run a command in two processes and return its output; once more where its port was taken."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    command += ["--nproc_per_node", "2", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}  # no GPU, where there is one
    if sys.platform == "linux":
        environment["GLOO_SOCKET_IFNAME"] = "lo"  # whatever the machine's name resolves to
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            output, _ = process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.terminate()  # torchrun then ends its children, which a kill would leave behind
            output, _ = process.communicate(timeout=60)
            pytest.fail(f"not ready after {DEADLINE} s: {output[-3000:]}")
    if process.returncode and again and PORT_TAKEN.search(output):
        return torchrun(*arguments, again=False)
    assert process.returncode == 0, output[-5000:]
    return output


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """15 slices for training and 3 for validation, which no two processes can share evenly."""
    return write_phantom_dataset(tmp_path_factory.mktemp("phantom"), num_patients=22, image_size=64, seed=0)


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and log of a run of two processes, as the documentation starts one."""
    out = tmp_path_factory.mktemp("whole")
    knobs = {"dataset_dir": data, "output_dir": out, **job.SMALL}
    arguments = [text for name, value in knobs.items() for text in (f"--{name}", str(value).replace(" ", ""))]
    configs = str([f"bundle/configs/{name}" for name in BOTH])
    return out, torchrun("-m", "monai.bundle", "run", "training", "--config_file", configs, *arguments)


@pytest.fixture(scope="module")
def single(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the same run in one process."""
    out = tmp_path_factory.mktemp("single")
    flow = job.workflow(data, out, ("train.json",))
    flow.initialize()
    flow.run()
    return out


@pytest.fixture(scope="module")
def ranks(data: Path, single: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two_processes.py found, by rank."""
    out = tmp_path_factory.mktemp("job")
    torchrun(job.__file__, str(out), str(data), str(single / "checkpoints" / "checkpoint_epoch=2.pt"))
    return [torch.load(out / f"rank{rank}.pt", weights_only=True) for rank in range(2)]


def files(folder: Path) -> set[str]:
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    events = {name for name in names if name.startswith("events.out.tfevents")}
    return (names - events) | {f"{len(events)} event files"}


def rows(table: Path) -> list[list[str]]:
    with table.open(newline="") as file:
        return list(csv.reader(file))[1:]


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def checkpoint(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "checkpoints" / "checkpoint_epoch=3.pt", weights_only=True)


@pytest.mark.parametrize(("player", "steps"), [("generator", 3), ("discriminator", 2)])
def test_gradients_of_half_a_batch_each_are_those_of_the_joint_batch(ranks, player, steps):
    expected = job.gradients_of_both_phases()[player]
    assert len(expected) == steps  # one step of the generator alone, two of both
    for found in ranks:
        for gradient, joint in zip(found["gradients"][player], expected, strict=True):
            assert joint.norm() > 0
            assert (gradient - joint).norm() <= 2e-6 * joint.norm()


def test_losses_are_means_over_the_processes(ranks):
    expected = job.gradients_of_both_phases()
    assert set(expected["last_losses"]) >= {"perceptual_loss", "adversarial_loss", "discriminator_loss", "d_fake"}
    for found in ranks:
        assert found["gradients"]["last_losses"] == pytest.approx(expected["last_losses"], rel=1e-5)
        for losses, joint in zip(found["gradients"]["losses"], expected["losses"], strict=True):
            assert losses == pytest.approx(joint, rel=1e-5)


def test_all_or_none_update_the_discriminator_near_its_floor(ranks):
    first, second = (found["floor"] for found in ranks)
    assert abs(first["local"] - second["local"]) > 1e-2  # each on its own, they would decide differently
    assert first["moved"] == second["moved"] == [True, False]


def test_a_loss_that_is_not_finite_in_one_process_stops_all(ranks):
    for found in ranks:
        assert found["broken"].startswith("FloatingPointError: training stopped at iteration 1")


def test_processes_draw_different_random_numbers_that_a_resumed_run_draws_again(ranks):
    (first, first_resumed), (second, second_resumed) = (found["draws"] for found in ranks)
    assert len(set(first + second)) == 6
    assert first_resumed == first[2:]
    assert second_resumed == second[2:]


def test_metrics_of_monai_count_every_slice_of_unequal_shards_once(ranks):
    slices = job.joint_batches(1)[0]["label"][:3]
    expected = sum(-10 * math.log10((hr / 2).square().mean()) for hr in slices) / 3
    assert [found["psnr"] for found in ranks] == pytest.approx([expected, expected], rel=1e-5)


def test_processes_take_turns_and_fail_together(ranks):
    first, second = (found["agreement"] for found in ranks)
    assert (first["turn"], second["turn"]) == (0, 1)
    assert first["turns"] == second["turns"] == "01"
    assert (
        first["failed"]
        == "RuntimeError: other processes of the job failed; process 1: FileNotFoundError: no slices here"
    )
    assert second["failed"] == "FileNotFoundError: no slices here"


def test_processes_with_other_slices_are_refused_but_other_folders_are_not(ranks):
    for found in ranks:
        assert found["agreement"]["same"] == ""
        assert "training (process 0 has [(" in found["agreement"]["different"]


def test_a_batch_that_cannot_be_split_is_refused_by_all(ranks):
    for found in ranks:
        assert "must be a multiple of the number of processes, got 3 for 2: set it to 4, or start" in found["uneven"]


@pytest.mark.parametrize("section", ["training", "validation"])
def test_every_process_holds_its_own_patients_alone(ranks, data, section):
    parts = [set(found["resumed"][section]) for found in ranks]
    items = figshare_datalist(data, section)
    assert not parts[0] & parts[1]
    assert parts[0] | parts[1] == {item["image"] for item in items}
    patients = [{item["patient"] for item in items if item["image"] in part} for part in parts]
    assert not patients[0] & patients[1]
    assert sorted(map(len, parts)) == [len(items) // 2, len(items) - len(items) // 2]
    assert [found["resumed"]["cached"] for found in ranks] == [len(found["resumed"]["training"]) for found in ranks]


def test_two_processes_leave_one_set_of_files(whole, single):
    assert files(whole[0]) == files(single)
    with (whole[0] / "losses.csv").open() as file:
        assert [int(row["iteration"]) for row in csv.DictReader(file)] == list(range(1, 10))


def test_one_process_speaks_for_the_job(whole):
    _, log = whole
    assert log.count("scores, mean ± sd over slices") == 2
    assert log.count("iteration 7: adversarial phase") == 1
    assert log.count("weights, metrics, curves and panels are in") == 1
    assert log.count("training [3/3]: iteration 9") == 1


def test_scores_are_those_of_one_process_with_the_same_weights(whole, data, tmp_path):
    out, _ = whole
    flow = job.workflow(data, tmp_path, ("train.json",))
    flow.initialize()
    network = flow.parser.get_parsed_content("ema_network")
    network.load_state_dict(torch.load(out / "models" / "model.pt", weights_only=True))
    flow.evaluator.run(3)
    found, expected = (rows(d / "scores.csv") for d in (out, tmp_path))
    assert [row[:-2] for row in found] == [row[:-2] for row in expected]  # the same slices, once, in the same order
    for column in (-2, -1):
        values = ([float(row[column] or "nan") for row in table] for table in (found, expected))
        assert next(values) == pytest.approx(next(values), rel=1e-6, abs=1e-9, nan_ok=True)
    assert json.loads((out / "summary.json").read_text())["slices"] == 3
    last = dict(line.split(",") for line in (out / "metrics" / "metrics.csv").read_text().split())
    assert {k: float(v) for k, v in last.items()} == pytest.approx(flow.evaluator.state.metrics, rel=1e-4)


def test_the_epoch_and_the_settings_are_those_of_one_process(whole, single):
    found, expected = checkpoint(whole[0])["trainer"], checkpoint(single)["trainer"]
    assert found["settings"] == expected["settings"]
    assert found["epoch_length"] == expected["epoch_length"]
    assert (found["world_size"], expected["world_size"]) == (2, 1)


def test_a_resumed_job_ends_with_the_bits_of_an_uninterrupted_one(whole, ranks):
    expected = checkpoint(whole[0])
    assert ranks[0]["stopped"]["iteration"] == 6
    for found in ranks:
        weights = found["resumed"]["weights"]
        assert found["resumed"]["iteration"] == 9
        assert equal(weights["network"], expected["generator"])
        assert equal(weights["discriminator"], expected["discriminator"])
        assert equal(weights["ema_network"], expected["ema"])


@pytest.mark.parametrize("run", ["stopped", "resumed", "from_single"])
def test_all_processes_hold_the_same_bare_networks(ranks, run):
    first, second = (found[run]["weights"] for found in ranks)
    for name in ("network", "discriminator", "ema_network"):
        assert equal(first[name], second[name])
        assert not [key for key in first[name] if key.startswith("module.")]
    assert all(found[run]["wrapped"] for found in ranks)
    assert ranks[0][run]["metrics"] == ranks[1][run]["metrics"]


def test_a_checkpoint_of_one_process_goes_on_in_two(ranks, single):
    assert [found["from_single"]["iteration"] for found in ranks] == [9, 9]
    uninterrupted = checkpoint(single)["generator"]
    assert not equal(ranks[0]["from_single"]["weights"]["network"], uninterrupted)


def test_a_checkpoint_of_two_processes_goes_on_in_one_and_says_so(whole, data, tmp_path, caplog):
    path = whole[0] / "checkpoints" / "checkpoint_epoch=2.pt"
    flow = job.workflow(data, tmp_path, ("train.json",), ckpt=str(path))
    flow.initialize()
    with caplog.at_level(logging.WARNING):
        flow.run()
    assert flow.trainer.state.iteration == 9
    assert "the checkpoint was written by 2 process(es), now there are 1" in caplog.text
    weights = torch.load(tmp_path / "models" / "model.pt", weights_only=True)
    assert all(torch.isfinite(value).all() for value in weights.values())


def test_without_torchrun_the_job_is_refused_with_the_command(data, tmp_path, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    error = job.message(job.workflow(data, tmp_path / "out", BOTH).initialize)
    assert "torchrun --standalone --nproc_per_node=2 -m monai.bundle run training" in error
    assert not (tmp_path / "out").exists()


def config(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "bundle" / "configs" / name).read_text())


def test_every_override_replaces_something_that_exists():
    base = config("train.json")
    for key in config("multi_gpu_train.json"):
        part: Any = base
        for name in key.removeprefix("+").split("#"):
            assert name in part, key
            part = part[name]


def test_overrides_keep_the_arguments_and_the_checks_of_training():
    base, override = config("train.json"), config("multi_gpu_train.json")
    for part in ("train", "validate"):
        own = base[part]["dataset"]["data"]
        given = override[f"{part}#dataset#data"]
        assert (
            given.replace("on_all_processes(figshare_datalist, ", "figshare_datalist(").replace(
                ", progress=is_main_process()", ""
            )
            == own
        )
    checks = [
        text.replace("on_all_processes(require_checkpoint, ", "require_checkpoint(") for text in override["checks"]
    ]
    assert override["run_dir"].replace("on_all_processes(clear_folder, ", "clear_folder(") == base["run_dir"]
    assert [text for text in checks if text in base["checks"]] == base["checks"]
    assert [text for text in override["initialize"] if "start_processes" not in text] == base["initialize"]
    assert override["finalize"][: len(base["finalize"])] == base["finalize"]


def test_the_job_has_every_property_that_monai_asks_for(data, tmp_path):
    flow: ConfigWorkflow = job.workflow(data, tmp_path, BOTH, initialize=[])
    flow.initialize()
    assert flow.check_properties() == []
