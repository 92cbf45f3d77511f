"""Options that describe a world, shared by the commands. Owns their names and how they become a
specification."""

from typing import Annotated, Any

import typer

_PANEL = "World"

Latents = Annotated[
    str | None, typer.Option(help="Latents: bits or gaussian.", rich_help_panel=_PANEL)
]
Shared = Annotated[
    int | None, typer.Option("--shared", help="Latents in w_s.", rich_help_panel=_PANEL)
]
Unique = Annotated[
    int | None,
    typer.Option("--unique", help="Latents in each of w_1 and w_2.", rich_help_panel=_PANEL),
]
LabelRule = Annotated[
    str | None,
    typer.Option(
        "--label", help="Label rule: bits, noiseless, threshold or planar.", rich_help_panel=_PANEL
    ),
]
LabelBits = Annotated[
    int | None,
    typer.Option(help="C: label information in bits (bits, noiseless).", rich_help_panel=_PANEL),
]
Relevant = Annotated[
    int | None,
    typer.Option(
        "--relevant", help="Relevant latents (threshold, planar).", rich_help_panel=_PANEL
    ),
]
Balance = Annotated[
    float | None,
    typer.Option(help="Share of the unique information in modality 1.", rich_help_panel=_PANEL),
]
Synergy = Annotated[
    float | None,
    typer.Option(
        "--synergy",
        help="Share of synergistic information (bits, noiseless).",
        rich_help_panel=_PANEL,
    ),
]
Observation = Annotated[
    str | None, typer.Option(help="Observation map: mlp or linear.", rich_help_panel=_PANEL)
]
Noise = Annotated[
    float | None,
    typer.Option(help="Standard deviation of the observation noise.", rich_help_panel=_PANEL),
]
TrainSize = Annotated[
    int | None, typer.Option("--n-train", help="Training samples.", rich_help_panel=_PANEL)
]
TestSize = Annotated[
    int | None, typer.Option("--n-test", help="Held-out samples.", rich_help_panel=_PANEL)
]


def world_values(
    *,
    latents: str | None,
    shared: int | None,
    unique: int | None,
    label: str | None,
    label_bits: int | None,
    relevant: int | None,
    balance: float | None,
    synergy: float | None,
    observation: str | None,
    noise: float | None,
    n_train: int | None,
    n_test: int | None,
) -> dict[str, Any]:
    """Nested values of a ``WorldSpec``: only what was given."""
    nested = {
        "latents": {"kind": latents, "n_shared": shared, "n_unique1": unique, "n_unique2": unique},
        "label": {
            "kind": label,
            "label_bits": label_bits,
            "n_relevant": relevant,
            "balance": balance,
            "synergy_ratio": synergy,
        },
        "observation": {"kind": observation, "noise": noise},
        "n_train": n_train,
        "n_test": n_test,
    }
    given = {
        key: {name: part for name, part in value.items() if part is not None}
        if isinstance(value, dict)
        else value
        for key, value in nested.items()
    }
    return {key: value for key, value in given.items() if value not in (None, {})}
