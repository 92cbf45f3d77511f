"""Plain forms of what ``fctestbed bench`` times, written from the equations; not in the package.

fctestbed bench --references tests/bench/references.py
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from plain_information import bit_probes, block_entropies_nats, ksg
from plain_methods import PLAIN
from plain_training import PlainTraining
from plain_world import OptimalCopies, official_copy, plain_samples
from torch import Tensor

from fctestbed.experiments.bench.critic_cases import CriticInputs, critic_backward
from fctestbed.experiments.bench.data_cases import AugmentationInputs
from fctestbed.experiments.bench.information_cases import OracleInputs, PairInputs, ProbeInputs
from fctestbed.experiments.bench.step_cases import StepInputs
from fctestbed.experiments.bench.timing import Work, timed
from fctestbed.nets import ConcatCritic
from fctestbed.synthesis import OfficialAugmentation, WorldSpec

Ways = Mapping[str, Work]


def data(world: WorldSpec) -> Ways:
    return {"numpy, step by step": timed(partial(plain_samples, world, 0))}


def augmentation(inputs: AugmentationInputs) -> Ways:
    generator = torch.Generator().manual_seed(0)
    spec = inputs.spec
    if isinstance(spec, OfficialAugmentation):
        x1, x2 = inputs.x1[0].cpu(), inputs.x2[0].cpu()

        def change() -> None:
            for x in (x1, x2):
                official_copy(x, spec, generator)

        return {"torch, change by change": timed(change, times=20)}
    copies = OptimalCopies(inputs.dataset)
    latents = torch.cat([block[0].cpu() for block in inputs.latents], 1)
    return {"torch, slot by slot": timed(lambda: copies(latents, generator), times=20)}


def all_rows(critic: ConcatCritic, u: Tensor, v: Tensor) -> Tensor:
    """Scores [1, n, n]: the MLP on a row [u_i, v_j] for every pair."""
    n = u.shape[1]
    rows = torch.cat([u[0].repeat_interleave(n, 0), v[0].repeat(n, 1)], 1).unsqueeze(0)
    hidden = critic.first(rows)
    for layer in critic.rest:
        hidden = layer(torch.relu(hidden))
    out: Tensor = hidden
    return out.view(1, n, n)


def factored_pairs(critic: ConcatCritic, u: Tensor, v: Tensor) -> Tensor:
    """Scores [1, n, n]: the first layer once for each argument, the others for every pair."""
    n = u.shape[1]
    hidden = critic.rows(u).unsqueeze(2) + critic.columns(v).unsqueeze(1)
    out = hidden.view(1, n * n, -1)
    for layer in critic.rest:
        out = layer(torch.relu(out))
    return out.view(1, n, n)


def critic(inputs: CriticInputs) -> Ways:
    ways = {"MLP on all concatenated rows": all_rows}
    if len(inputs.critic.rest) > 1:
        ways["factored, all pairs in memory"] = factored_pairs
    device = inputs.u.device.type

    def in_autocast(scores, critic: ConcatCritic, u: Tensor, v: Tensor) -> Tensor:
        with torch.autocast(device, torch.bfloat16, enabled=inputs.precision == "bf16"):
            return scores(critic, u, v)

    return {
        name: timed(partial(critic_backward, partial(in_autocast, scores), inputs), device)
        for name, scores in ways.items()
    }


def probes(inputs: ProbeInputs) -> Ways:
    arrays = [
        array.double().cpu().numpy()
        for array in (inputs.z_fit, inputs.w_fit, inputs.z_eval, inputs.w_eval)
    ]
    return {"scipy's L-BFGS, bit by bit": timed(partial(bit_probes, *arrays, inputs.ridge))}


def oracle(inputs: OracleInputs) -> Ways:
    work = partial(block_entropies_nats, inputs.book, inputs.tau, inputs.n_draws, inputs.device)
    return {"log-softmax, a sum for each block": timed(work)}


def neighbours(inputs: PairInputs) -> Ways:
    work = partial(ksg, np.asarray(inputs.x), np.asarray(inputs.y))
    return {"scipy's k-d trees, one estimate": timed(work)}


def step(inputs: StepInputs) -> Ways:
    """A loop for each run: a stack of N plain runs takes N times as long, so one is timed."""
    training, dataset = inputs.trainings[0], inputs.datasets[0]
    if training.method not in PLAIN:
        return {}
    plain = PlainTraining(training, dataset, inputs.device)
    return {"a plain loop of one run": partial(plain.step_seconds, inputs.steps)}


REFERENCES = {
    "data": data,
    "augmentation": augmentation,
    "critic": critic,
    "probes": probes,
    "oracle": oracle,
    "ksg": neighbours,
    "step": step,
}
