"""Titles of figures and what they show, in words. Imports the list of figures of
``fctestbed.plotting``."""

from fctestbed.plotting import FIGURES

CAPTIONS: dict[str, tuple[str, str]] = {
    "label_bits": (
        "Label bits",
        "Label bits read from the joint readout of each method, with the exact total and the exact "
        "shared part, the most for a method without unique information.",
    ),
    "rate_curves": (
        "Label bits along the rate",
        "Label bits read at each measured rate R, with the ideal min(R, total).",
    ),
    "r90": (
        "R90",
        "The least rate at which 90 % of the label is read: lower is better. Curves in the band at "
        "the top do not reach it at any measured rate.",
    ),
    "blocks": (
        "Shared and unique bits",
        "Bits read of the shared block and of both unique blocks, whether the label depends on "
        "them or not.",
    ),
    "label_bits_linear": (
        "Label bits by a linear probe",
        "Label bits that a linear probe finds in the whole readout. It may use every direction, "
        "however small, so wide and untrained readouts score high.",
    ),
    "accuracy": (
        "Task accuracy",
        "Accuracy of a linear probe on held-out samples, with the Bayes accuracy, the most that "
        "any classifier reaches.",
    ),
    "latent_bits": (
        "Single latent bits",
        "Bits read of every latent bit by each readout, at one unique ratio.",
    ),
    "ablation": (
        "Terms of the losses",
        "What each method's loss has of the paper's terms, and what its representation holds.",
    ),
    "readouts": (
        "Parts of the representations",
        "Bits of each block in each readout, next to the numbers of the paper's Table 1.",
    ),
    "audit": (
        "Departures from the paper",
        "Label bits of each departure of the official code, next to the paper's equations.",
    ),
    "quality": (
        "Quality of the views",
        "Label bits against what augmented copies hold of the label and of the rest.",
    ),
    "critics": ("Critics", "Label bits of each method with each critic."),
    "label_free": (
        "Scores without labels",
        "Rank correlation with label bits of numbers that need no label: over all runs and within "
        "each method.",
    ),
    "along": ("Along the training", "Bits read of the encoder during its training."),
    "scaling": ("Along each axis", "Lost label bits along each axis that varies."),
    "scaling_exponents": (
        "Exponents",
        "How fast the lost label bits fall along each axis: exponents of power laws.",
    ),
}
"""The title of each figure of a sweep, and one or two sentences on what it shows."""


def figure_words(name: str) -> tuple[str, str]:
    """The title and caption of a figure, by the name of its file.

    A file of one world has its values at the end of its name, and so at the end of the title.
    """
    known = max((one for one in FIGURES if name.startswith(one)), key=len)
    title, caption = CAPTIONS[known]
    rest = name.removeprefix(known).strip("_").replace("_", ", ")
    return (f"{title}: {rest}" if rest else title), caption
