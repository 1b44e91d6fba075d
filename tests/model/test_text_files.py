"""Model files: byte order marks, line ends, encodings, and whole numbers with an exponent."""

import pytest

import spinsync as ss
from spinsync.interfaces.command import run

MODEL = "[single]\ngain = 3.0\ndamping = 1.0\ncoupling = 12.0\ntheta = -1.2\n"
ONE = ss.Ensemble.single(gain=3.0, damping=1.0, coupling=12.0, theta=-1.2)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_model_is_read_with_a_byte_order_mark_and_with_any_line_ends(tmp_path, mark, end):
    file = tmp_path / "one.toml"
    file.write_bytes(mark + MODEL.replace("\n", end).encode())
    assert ss.Ensemble.from_toml(file) == ONE


@pytest.mark.parametrize(("encoding", "is_not"), [("utf-16", "in UTF-16"), ("utf-16-le", "not"), ("cp500", "not")])
def test_an_error_names_another_encoding(tmp_path, encoding, is_not):
    file = tmp_path / "one.toml"
    file.write_bytes(MODEL.encode(encoding))
    with pytest.raises(ss.InputError) as caught:
        ss.Ensemble.from_toml(file)
    assert str(caught.value) == f"Argument `path` must be a text file in UTF-8, but '{file}' is {is_not}."


def test_whole_numbers_may_be_written_with_an_exponent(tmp_path, capsys):
    import xarray as xr

    model, out = tmp_path / "one.toml", tmp_path / "out.zarr"
    model.write_text(MODEL)
    arguments = ["evolve", str(model), "--theory", "exact", "--spins", "1e1", "--until", "1", "--points", "1.1e1"]
    assert run([*arguments, "--seed", "2E0", "--out", str(out)]) == 0
    written = xr.open_zarr(out, consolidated=False)
    assert written.sizes["time"] == 11
    assert written.attrs["theory"] == ss.evolve(ONE, [0.0], theory=ss.Exact(10)).attrs["theory"]
    assert int(written.attrs["seed"]) == 2
    capsys.readouterr()


@pytest.mark.parametrize("text", ["2.5", "1e-1", "inf", "nan", "1e999999999", "ten", "", "1.00000000000000000000000000001"])
def test_a_number_that_is_not_whole_is_an_error(tmp_path, capsys, text):
    model = tmp_path / "one.toml"
    model.write_text(MODEL)
    assert run(["evolve", str(model), "--points", text]) == 2
    assert capsys.readouterr().err == f"Invalid value for '--points': must be a whole number, but is {text!r}\n"


def test_whole_numbers_of_model_files_may_have_an_exponent(tmp_path):
    file = tmp_path / "drawn.toml"
    file.write_text(MODEL + "frequency = {samples = {count = 1e2, seed = 3e0, of = {lorentzian = {half_width = 0.5}}}}\n")
    assert ss.Ensemble.from_toml(file) == ONE.replace(frequency=ss.Lorentzian(0.5).sample(100, seed=3))
