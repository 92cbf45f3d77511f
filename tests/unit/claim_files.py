"""Claim files of tiny sweeps, for tests."""

TINY_CLAIM = """
id = "tiny"
source = "a test"
statement = "SimCLR holds less than everything."
smallest_effect_bits = 0.05

[sweep]
unique_ratio = "0,1"
seeds = "0:2"

[sweep.world]
n_train = 256
n_test = 128
latents = { n_shared = 2, n_unique1 = 1, n_unique2 = 1 }
observation = { kind = "linear", dim1 = 6, dim2 = 6 }

[sweep.nets]
encoder_hidden = [8]
embed_dim = 4
head_hidden = [4]
head_dim = 4
critic_hidden = [4]

[sweep.train]
steps = 10
batch_size = 64

[sweep.measurement.rate]
rates = [4]

[[predictions]]
left = "simclr"
relation = "<="
right = { truth = "total_bits" }

[[predictions]]
left = { method = "raw", estimator = "linear_probe", unique_ratio = 1.0 }
relation = ">="
right = { method = "simclr", estimator = "linear_probe", unique_ratio = 0.0 }
smallest_effect_bits = 1.0

[assumptions."long training"]
statement = "Training is long enough."
broken = { train = { steps = 2 } }
"""


def write_claim(path, *changes, text=TINY_CLAIM):
    """The tiny claim with some texts replaced."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    return path
