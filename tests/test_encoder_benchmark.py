"""The script that makes an encoder of a PyTorch network's arrays: it agrees with other equations, or says so."""

import numpy as np
import pytest
from click.testing import CliRunner
from tiny_encoder import make_encoder, states

from benchmarks import encoder as script
from pipeline.pretrained import encoder as encoders
from pipeline.pretrained.encoder import DIRECTIONS

TEXT = "北京烤鸭好吃，我们走？"


def write_source(folder, made):
    """The arrays of a tiny encoder as training leaves them, and its states of a text."""
    folder.mkdir()
    for direction in DIRECTIONS:
        vectors, bias = (made.arrays[f"{direction}.{name}"] for name in ("embedding", "scores_bias"))
        table = {
            "embedding": np.concatenate([np.full((1, made.card.width), 9.0), vectors[[1, 0]], vectors[2:]]),
            "projection": made.arrays[f"{direction}.projection"],
            "projection_bias": made.arrays[f"{direction}.projection_bias"],
            "output_bias": np.concatenate([[9.0], bias[[1, 0]], bias[2:]]),
        }
        for layer in range(len(made.card.units)):
            for part in ("input", "recurrent", "bias"):
                table[f"lstm{layer + 1}_{part}"] = made.arrays[f"{direction}.{layer}.{part}"]
        np.savez(folder / f"{direction}.npz", **{name: array.astype(np.float16) for name, array in table.items()})
    text = "".join(f"{token}\n" for token in ("<pad>", "<unk>", "<eot>", *made.vocabulary.tokens))
    (folder / "vocabulary.txt").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("wrong", [0.0, 0.01])
def test_what_is_converted_is_checked(tmp_path, wrong):
    made = encoders.load(make_encoder(tmp_path / "made", precision="float16"))
    write_source(tmp_path / "source", made)
    ours, check = states(made, TEXT), {"text": np.array(TEXT)}
    of_forward, of_backward = np.split(ours, 2, axis=1)
    for direction, found in (("forward", of_forward), ("backward", of_backward[::-1])):
        ((own, logs, known),) = script.log_probabilities(made, direction, [TEXT])
        assert known.sum() == len(TEXT)  # the question mark is unknown, the end is not
        assert np.all(logs < 0)
        check[f"{direction}_states"] = np.concatenate([own[:1], found + wrong])
        check[f"{direction}_log_probabilities"] = logs
    np.savez(tmp_path / "source" / "check.npz", **check)
    (tmp_path / "texts.txt").write_text("我们在河边\n好吃\n", encoding="utf-8")
    options = ["--card", str(tmp_path / "made" / "encoder.toml"), "--texts", str(tmp_path / "texts.txt")]
    paths = [str(tmp_path / "source"), str(tmp_path / "target")]
    done = CliRunner().invoke(script.main, [*paths, *options])
    assert (done.exit_code, "the conversion is wrong" in done.output) == (bool(wrong), bool(wrong)), done.output
    assert wrong or "backward: perplexity" in done.output
    again = encoders.load(tmp_path / "target")
    for name, array in made.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)
