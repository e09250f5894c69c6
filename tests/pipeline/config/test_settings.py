"""Settings: the reference is the defaults, every key is explained, a slip is named with its line and what is near."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.config.load import dumps, from_mapping, load
from pipeline.config.reference import reference
from pipeline.config.renames import RENAMED
from pipeline.config.section import Section
from pipeline.config.settings import Settings
from pipeline.errors import SettingsError

ROOT = Path(__file__).parents[3]
CELLS = "'rnn', 'lstm' or 'gru'"
NAME = "letters, digits, _, - and ., not a . or - at the start"
MINIMUM = {"name": "mail", "corpus": {"train": "train.csv"}}
CONFIG = """# 评论
name = "mini"
[corpus]
train = "mini.csv"

[network]
cell = "gru"
layers = 2
units = [8, 4]
[network.wide]
characters = 2
[train]
epochs = 3
"""


def sections(section=Settings, prefix=""):
    """Every section's dotted name and class."""
    yield prefix, section
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from sections(field.annotation, f"{prefix}.{name}".strip("."))


KEYS = sorted(f"{prefix}.{key}".strip(".") for prefix, section in sections() for key in section.model_fields)


def failure(tmp_path, text=CONFIG, *overrides):
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(path, overrides)
    return str(caught.value).replace(f"{path}", "c.toml")


def test_the_reference_is_the_defaults():
    assert from_mapping(tomllib.loads(reference())) == from_mapping(MINIMUM)


def test_the_reference_shows_every_key():
    written = [line.removeprefix("# ").split(" =")[0] for line in reference().splitlines() if " =" in line]
    assert [key.rsplit(".", 1)[-1] for key in KEYS if not is_section(key)] != []
    for key in KEYS:
        assert is_section(key) or key.rsplit(".", 1)[-1] in written, key
    assert all(f"[{prefix}]" in reference() for prefix, _ in sections() if prefix)


def is_section(key):
    return key in dict(sections())


def test_the_reference_file_is_up_to_date():
    assert (ROOT / "configs" / "reference.toml").read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize(("prefix", "section"), list(sections()), ids=lambda value: str(value))
def test_every_key_and_section_is_explained(prefix, section):
    assert section.__doc__
    for key, field in section.model_fields.items():
        assert is_section(f"{prefix}.{key}".strip(".")) or field.description, f"{prefix}.{key}"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.toml")), ids=lambda path: path.name)
def test_configs_that_come_along_are_valid(path):
    assert load(path).name


def test_dumped_settings_read_back_equal(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(CONFIG, encoding="utf-8")
    loaded = load(path)
    again = tmp_path / "again.toml"
    again.write_text(dumps(loaded), encoding="utf-8")
    assert load(again) == loaded


@given(st.sampled_from([prefix for prefix, _ in sections()]), st.text("abcdefg_", min_size=1, max_size=12))
def test_an_unknown_key_is_named(prefix, key):
    section = dict(sections())[prefix]
    if key in section.model_fields:
        return
    values = {"name": "mail", "corpus": {"train": "a.csv"}}
    table = values
    for part in filter(None, prefix.split(".")):
        table = table.setdefault(part, {})
    table[key] = 1
    with pytest.raises(SettingsError) as caught:
        from_mapping(values)
    message = str(caught.value)
    assert f'unknown key "{f"{prefix}.{key}".strip(".")}"' in message
    assert all(known in message for known in section.model_fields)


@pytest.mark.parametrize("key", [key for key in KEYS if not is_section(key) and key.count(".")])
def test_a_slip_of_one_letter_finds_the_key(tmp_path, key):
    section, _, name = key.rpartition(".")
    slip = name[:-1] + ("x" if name[-1] != "x" else "y")
    message = failure(tmp_path, f'name = "m"\n[corpus]\ntrain = "a"\n{header(section)}{slip} = 1\n')
    line = 4 if section == "corpus" else 5
    assert message.startswith(f'c.toml:{line}: unknown key "{section}.{slip}"; did you mean "')
    assert f'"{name}"' in message or len(name) < 6


def header(section):
    return "" if section == "corpus" else f"[{section}]\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"gru"', '"gri"', f"""c.toml:7: network.cell: expected {CELLS}, received 'gri'; did you mean "gru"?"""),
        ("epochs = 3", "epochs = 0", "c.toml:13: train.epochs: expected 1 or more, received 0"),
        ("epochs = 3", 'epochs = "x"', "c.toml:13: train.epochs: expected a whole number, received 'x'"),
        ("epochs = 3", "epochs = 1.5", "c.toml:13: train.epochs: expected a whole number, received 1.5"),
        ("characters = 2", "characters = 9", "c.toml:11: network.wide.characters: expected 3 or less, received 9"),
        ('"mini"', '".."', f"c.toml:2: name: expected {NAME}, received '..'"),
        ('"mini"', '"a/b"', f"c.toml:2: name: expected {NAME}, received 'a/b'"),
        ('"mini.csv"', '""', "c.toml:4: corpus.train: expected text, received ''"),
        ('"mini.csv"', "3", "c.toml:4: corpus.train: expected text in quotes, received 3"),
        ('train = "mini.csv"', "", 'c.toml:3: the key "corpus.train" is missing'),
        ("[8, 4]", "[8]", "c.toml:6: network: units has 1 entries for layers = 2: give one a layer, or one number"),
        ("[8, 4]", "0", "c.toml:9: network.units: expected 1 or more, received 0"),
        ("[8, 4]", "[8, 0]", "c.toml:9: network.units: expected 1 or more, received 0"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_sentence(tmp_path, old, new, expected):
    assert old in CONFIG
    assert failure(tmp_path, CONFIG.replace(old, new, 1)) == expected


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("train.epochs=abc", "--set train.epochs: expected a whole number, received 'abc'"),
        ("trian.epochs=3", '--set trian: unknown key "trian"; did you mean "train"?'),
        ("train.epoch=3", '--set train.epoch: unknown key "train.epoch"; did you mean "epochs"?'),
        ("train.learning_rate=inf", "--set train.learning_rate: expected a finite number, received inf"),
        ("train.learning_rate=nan", "--set train.learning_rate: expected a finite number, received nan"),
        ("corpus.dev_share=1.0", "--set corpus.dev_share: expected less than 1.0, received 1.0"),
        ("segment.dictionaries=a.txt", "--set segment.dictionaries: expected a list, received"),
        ("network.pooling=[]", "--set network.pooling: expected "),
        ('network.pooling=["max", "maks"]', "expected 'last', 'mean', 'max' or 'attention', received 'maks'"),
        ('network.pooling=["max", "max"]', "network: pooling names one twice: max, max: name each once"),
        ("corpus.text=[]", "--set corpus.text: expected "),
        ("train=3", "--set train: expected a section with keys of its own, received 3"),
        ("train.class_weights=maybe", "--set train.class_weights: expected true or false, received 'maybe'"),
        ("name.x=3", "--set name.x=3: name is a value, not a section"),
        ("epochs", "--set epochs: expected KEY=VALUE"),
        ("=3", "--set =3: expected KEY=VALUE"),
        ("network.embedding=frozen", None),
        ("embed.method=none", 'needs vectors, but embed.method is "none": set it to "random"'),
        ("embed.method=pretrained", "set embed.pretrained or embed.pretrained_characters"),
        ("segment.unit=char", None),
    ],
)  # fmt: skip
def test_overrides(tmp_path, override, expected):
    if expected is None:
        path = tmp_path / "c.toml"
        path.write_text(CONFIG, encoding="utf-8")
        assert load(path, [override]) != load(path)
    else:
        message = failure(tmp_path, CONFIG, override)
        assert expected in message
        assert "; network" not in message, "one sentence"


def test_overrides_are_toml_or_else_text(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(CONFIG, encoding="utf-8")
    loaded = load(path, ["corpus.text=正文", 'corpus.label="类 别"', "train.epochs=7", "network.bidirectional=false"])
    assert (loaded.corpus.text, loaded.corpus.label, loaded.train.epochs) == ("正文", "类 别", 7)
    assert not loaded.network.bidirectional


def test_sections_must_agree():
    for changed, hint in (
        ({"segment": {"unit": "char"}, "network": {"inputs": "both"}}, 'set segment.unit = "word"'),
        ({"segment": {"unit": "char"}, "network": {"wide": {"words": 1}}}, "set network.wide.words = 0"),
    ):
        with pytest.raises(SettingsError, match=hint):
            from_mapping({**MINIMUM, **changed})
    assert from_mapping({**MINIMUM, "segment": {"unit": "char"}}).network.units_read == ("char",)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_key_is_told_its_new_name(tmp_path, old, new):
    section, _, key = old.partition(".")
    text = f'name = "m"\n[corpus]\ntrain = "a"\n[{section}]\n{key} = 1\n'
    assert failure(tmp_path, text) == f"c.toml:5: {old} is now {new}"
    assert failure(tmp_path, CONFIG, f"{old}=1") == f"--set {old}: {old} is now {new}"
    with pytest.raises(SettingsError, match=f"^settings: {old} is now {new}$"):
        from_mapping({**MINIMUM, section: {key: 1}})
    with pytest.raises(ValidationError, match=f"{old} is now {new}"):
        Settings.model_fields[section].annotation(**{key: 1})
    ranges = f'{CONFIG}[tune.ranges]\n"{old}" = [1, 2]\n'
    assert failure(tmp_path, ranges) == f"c.toml:14: tune.ranges: {old} is now {new}"
    assert new in KEYS and old not in KEYS


def test_several_old_keys_are_told_at_once(tmp_path):
    text = 'name = "m"\n[corpus]\ntrain = "a"\n[embed]\nsize = 1\nsample = 0\n[train]\naverage = 0.5\n'
    assert failure(tmp_path, text) == (
        "c.toml:5: embed.size is now embed.vector_size; embed.sample is now embed.subsample; "
        "c.toml:8: train.average is now train.ema_momentum"
    )


def test_settings_that_disagree_are_found_by_their_line(tmp_path):
    text = CONFIG.replace('cell = "gru"', 'inputs = "both"')
    message = 'network.inputs = "both" needs words, but segment.unit is "char": set segment.unit = "word"'
    assert failure(tmp_path, text, "segment.unit=char") == f"c.toml:7: {message}"
    assert failure(tmp_path, CONFIG, "segment.unit=char", "network.inputs=both") == f"--set network.inputs: {message}"


def test_paths_are_taken_from_here_or_else_from_beside_the_config(tmp_path, monkeypatch):
    here, beside = tmp_path / "here", tmp_path / "beside"
    here.mkdir()
    beside.mkdir()
    monkeypatch.chdir(here)
    (beside / "c.toml").write_text(CONFIG, encoding="utf-8")
    assert load(beside / "c.toml").corpus.train == str(here / "mini.csv")
    (beside / "mini.csv").touch()
    assert load(beside / "c.toml").corpus.train == str(beside / "mini.csv")
    (here / "mini.csv").touch()
    assert load(beside / "c.toml").corpus.train == str(here / "mini.csv")


def test_files_that_are_no_config(tmp_path):
    with pytest.raises(SettingsError, match="no such config"):
        load(tmp_path / "nowhere.toml")
    with pytest.raises(SettingsError, match="a folder, expected a TOML file"):
        load(tmp_path)
    path = tmp_path / "c.toml"
    path.write_bytes("# 注释".encode("gb18030"))
    with pytest.raises(SettingsError, match="byte 4 is not UTF-8"):
        load(path)
    assert "not valid TOML" in failure(tmp_path, CONFIG + "[train]\nepochs = 1\n")
    path.write_text("\ufeff" + CONFIG, encoding="utf-8")
    assert load(path).name == "mini"
