"""Prepare: what the n-grams of a model may reveal."""

from mini import mails, write_csv

from pipeline.config.load import load_explained
from pipeline.encoding.identifiers import IDENTIFYING
from pipeline.stages.prepare import prepare
from pipeline.stages.runner import run_stages

TELEPHONE = ("正常邮件", "请拨打１３９０3175286转王工")


def test_by_default_no_piece_of_a_number_that_one_text_has_is_kept(tmp_path):
    write_csv(tmp_path / "a.csv", [*mails(), *3 * [("正常邮件", "会议改到3楼")], TELEPHONE], header=("label", "text"))
    config = tmp_path / "c.toml"
    config.write_text('name = "c"\n[corpus]\ntrain = "a.csv"\ndev_share = 0.1\ntest_share = 0.0\n', encoding="utf-8")
    settings, chosen = load_explained(config, ["segment.workers=1", "embed.epochs=1", "seed=3"])
    assert chosen.values["network.wide.min_count"] == 1
    prepared = prepare(settings, run_stages(settings, runs=tmp_path / "runs", last="embed"))
    tokens = ["", "", *prepared.encoder.vocabularies["char"].tokens]
    keys = prepared.encoder.ngrams["char"].keys.tolist()
    kept = {"".join(tokens[key >> 20 * order & (1 << 20) - 1] for order in (2, 1, 0)) for key in keys}
    assert any("王工" in text.text for text in prepared.train_texts), "the telephone number must be in train"
    assert {"转王工", "改到3", "到3楼", "打１", "6转"} <= kept
    assert max(len(IDENTIFYING.findall(gram)) for gram in kept) == 1
