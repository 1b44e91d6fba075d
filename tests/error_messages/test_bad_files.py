"""Error messages about invalid model files, and about files that cannot be read or written."""

import pytest

import spinsync as ss
from error_cases import case_names
from spinsync.base import files
from spinsync.model.ensembles import from_toml_text
from systems import laser

SINGLE = "[single]\ngain = 3\ndamping = 1\ncoupling = 12\ntheta = -1.5\n"
GROUPS = "[[groups]]\ngain = 3\ndamping = 1\n"
MATRIX = "[coupling_matrix]\nreal = [[0]]\nimag = [[1]]\n"

CASES = [
    ("", "Argument `model` must be one of [single], [pair], [cavity], [[groups]], but the text has none of them."),
    (
        SINGLE + "[pair]\n",
        "Argument `model` must be one of [single], [pair], [cavity], [[groups]], but the text has [single] and [pair].",
    ),
    ("gain = = 3", "Argument `model` must be TOML, but the text is not: Invalid value (at line 1, column 8)."),
    (
        "[sinlge]\n",
        "Argument `model key` must be one of single, pair, cavity, groups, coupling_matrix, changes, lamb_shift, but is "
        "model key='sinlge' (did you mean 'single'?).",
    ),
    ("single = 3", "Argument `single` must be a table of parameters, but is single=3."),
    (
        SINGLE + "gian = 3",
        "Argument `single key` must be one of gain, damping, coupling, theta, frequency, dephasing, but is "
        "single key='gian' (did you mean 'gain'?).",
    ),
    (SINGLE.replace("gain = 3\n", ""), "Argument `gain` must be given in [single], but is missing."),
    (SINGLE.replace("gain = 3", "gain = -3"), "Argument `gain` must be non-negative, but is gain=-3."),
    (SINGLE.replace("gain = 3", "gain = '3'"), "Argument `gain` must be a real number, but is gain='3'."),
    (
        SINGLE + "frequency = {}",
        "Argument `frequency` must be a number or one table such as {lorentzian = {half_width = 1.0}}, but is frequency={}.",
    ),
    (
        SINGLE + "frequency = {lorenzian = {half_width = 1}}",
        "Argument `frequency` must be one of lorentzian, gaussian, uniform, samples, but is frequency='lorenzian' "
        "(did you mean 'lorentzian'?).",
    ),
    (
        SINGLE + "frequency = {gaussian = {width = 1}}",
        "Argument `gaussian key` must be one of std, center, but is gaussian key='width'.",
    ),
    (SINGLE + "frequency = {gaussian = {center = 1}}", "Argument `std` must be given in [gaussian], but is missing."),
    (SINGLE + "frequency = {gaussian = 3}", "Argument `gaussian` must be a table of parameters, but is gaussian=3."),
    ("changes = 3\n" + SINGLE, "Argument `changes` must be a table of parameters, but is changes=3."),
    (SINGLE + "[changes]\n'A.gain' = -1", "Argument `A.gain` must be non-negative, but is A.gain=-1."),
    (SINGLE + MATRIX, "Argument `coupling_matrix` must only be given with [[groups]], but is given with [single]."),
    ("lamb_shift = true\n" + SINGLE, "Argument `lamb_shift` must only be given with [[groups]], but is given with [single]."),
    ("groups = 3", "Argument `groups` must be a list of tables, [[groups]], but is groups=3."),
    (GROUPS, "Argument `coupling_matrix` must be given with [[groups]], but is missing."),
    (GROUPS + "[coupling_matrix]\nreal = [[0]]", "Argument `imag` must be given in [coupling_matrix], but is missing."),
    (GROUPS.replace("gain = 3\n", "") + MATRIX, "Argument `gain` must be given in [groups], but is missing."),
    ("lamb_shift = 1\n" + GROUPS + MATRIX, "Argument `lamb_shift` must be true or false, but is lamb_shift=1."),
    (
        GROUPS + MATRIX.replace("[[1]]", "[[1, 2]]"),
        "Argument `coupling_matrix.imag` must be a 1 x 1 matrix, but has shape (1, 2).",
    ),
    (GROUPS + MATRIX.replace("[[1]]", "[[nan]]"), "Argument `coupling_matrix.imag` must be finite, but has the entry nan."),
]


@pytest.mark.parametrize(("text", "message"), CASES, ids=case_names(__file__, "CASES"))
def test_error_message(text, message):
    with pytest.raises(ss.InputError) as caught:
        from_toml_text(text)
    assert str(caught.value) == message


def test_a_file_that_cannot_be_read(tmp_path):
    missing = tmp_path / "none.toml"
    with pytest.raises(ss.InputError) as caught:
        ss.Ensemble.from_toml(missing)
    assert str(caught.value) == f"Argument `path` must be a readable file, but '{missing}' is not (no such file or directory)."
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfd\x00")
    with pytest.raises(ss.InputError) as caught:
        ss.Ensemble.from_toml(binary)
    assert str(caught.value) == f"Argument `path` must be a text file in UTF-8, but '{binary}' is not."
    broken = tmp_path / "broken.toml"
    broken.write_text("[single\n")
    with pytest.raises(ss.InputError, match=f"Argument `model` must be TOML, but {broken} is not: .*line 1"):
        ss.Ensemble.from_toml(broken)


def test_a_file_that_cannot_be_written(tmp_path):
    target = tmp_path / "none" / "model.toml"
    with pytest.raises(ss.InputError) as caught:
        laser().to_toml(target)
    assert str(caught.value) == f"Argument `path` must be writable, but '{target}' is not (no such file or directory)."
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(ss.InputError, match=r"must be writable, but .* is not"):
        laser().to_toml(folder)
    assert list(tmp_path.iterdir()) == [folder]  # no draft is left


def test_a_new_folder_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "out"
    with files.new_folder(target) as draft:
        (draft / "a.txt").write_text("a")
        assert not target.exists()
    assert (target / "a.txt").read_text() == "a"
    with pytest.raises(ss.InputError) as caught, files.new_folder(target):
        pass
    assert str(caught.value) == f"Argument `out` must be a new path, but '{target}' exists."
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_new_folder_vanishes_when_its_block_fails(tmp_path):
    def write_and_fail(draft):
        (draft / "a.txt").write_text("a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), files.new_folder(tmp_path / "out") as draft:
        write_and_fail(draft)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ss.InputError, match=r"Argument `out` must be writable, but .* is not \(no such file or directory\)"):
        files.new_folder(tmp_path / "none" / "out").__enter__()
    with pytest.raises(ss.InputError, match=r"must be writable, but .* is not \(disk full\)"), files.new_folder(tmp_path / "x"):
        raise OSError(28, "Disk full")


def test_a_full_disk_within_a_new_folder_names_the_folder(tmp_path):
    target = tmp_path / "out"
    with pytest.raises(ss.InputError) as caught, files.new_folder(target) as draft, files.new_version(draft / "a.png"):
        raise OSError(28, "Disk full")
    assert str(caught.value) == f"Argument `out` must be writable, but '{target}' is not (disk full)."
    with pytest.raises(ss.InputError, match="a message of its own"), files.new_folder(target):
        raise ss.InputError("a message of its own.")
    assert list(tmp_path.iterdir()) == []
