"""The benchmark of mended labels plants what it says, and reads saved labels off the right curve."""

from mini import mails

from benchmarks import mending


def test_errors_are_planted_in_as_many_rows_as_asked() -> None:
    rows = [(text, label) for label, text in mails()]
    found = mending.plant(rows, 7, seed=3)
    assert [text for text, _ in found] == [text for text, _ in rows]
    assert sum(one != other for one, other in zip(rows, found, strict=True)) == 7
    assert found == mending.plant(rows, 7, seed=3) != mending.plant(rows, 7, seed=4)


def test_saved_labels_are_read_off_the_curve_of_random_rows() -> None:
    sizes = [100, 150, 200]
    assert mending.saved(sizes, [0.5, 0.6, 0.8], [0.5, 0.6, 0.7]) == "175"
    assert mending.saved(sizes, [0.5, 0.6, 0.8], [0.4, 0.4, 0.4]) == "100"
    assert mending.saved(sizes, [0.5, 0.6, 0.8], [0.5, 0.9, 0.9]) == "more than 200"
