"""The contract with users: public names, arguments with their defaults, variables of results, options of the command line.

Whatever stands here is relied on, and is not renamed. New names, optional arguments, variables and options may be added.
"""

from inspect import Parameter, signature

import pytest
from typer.main import get_command

import spinsync as ss
from spinsync.interfaces.command import app
from systems import HALF_PI, laser

CALLS = """
Group(gain, damping, *, dephasing=0.0, frequency=0.0, weight=1.0, name=None)
Lorentzian(half_width, center=0.0)
Gaussian(std, center=0.0)
Uniform(half_width, center=0.0)
Samples(values)
Ensemble(groups, coupling_matrix)
Ensemble.single(*, gain, damping, coupling, theta, frequency=0.0, dephasing=0.0)
Ensemble.pair(*, detuning, gain, damping, coupling, theta, cross_coupling=None, cross_theta=None, dephasing=0.0, weights=(1, 1))
Ensemble.cavity(*, spins, vacuum_coupling, cavity_decay, cavity_detuning=0.0, gain, damping, dephasing=0.0, frequency=0.0, \
detuning=None, weights=None)
Ensemble.replace(self, **parameters)
Ensemble.split(self, parts)
Ensemble.to_toml(self, path)
Ensemble.from_toml(path)
MeanField(rtol=None, atol=None, nodes=None)
Cumulants(spins, *, rtol=1e-6, nodes=None)
Exact(spins)
Trajectories(spins)
TruncatedWigner(spins, samples)
BruteForce(spins)
evolve(ensemble, times, *, theory=ss.MeanField(), initial=None, seed=0, each=False, keep_state=False)
compare(ensemble, times, *, theories, initial=None, seed=0)
steady_state(ensemble, *, theory=ss.MeanField(), initial=None, seed=0)
linewidth(ensemble, *, theory, modes=None, spins=None)
emission_spectrum(ensemble, frequencies, *, theory, seed=0)
photon_statistics(ensemble, delays=(0.0,), *, theory)
limit_cycle(ensemble)
symmetric_pair(ensemble)
locking_range(ensemble)
critical_coupling(ensemble)
critical_gain(ensemble)
critical_spins(ensemble)
regime(ensemble, *, theory=ss.MeanField(), initial=None, seed=0)
label(codes)
sweep(function, axes, *, model=None, realizations=1, store=None, executor=None, variables=None, seed=0, \
retry_failed=False, explain=False, **options)
phase_diagram(ensemble, axes, *, theory=ss.MeanField(), initial=None, realizations=None, \
spins=None, linewidth=False, seed=0, device="cpu", threads=None)
model_of(dataset)
squeezing(result)
rerun(result)
bloch(dataset)
show(run)
to_qutip(ensemble, spins)
plot.movie(run, path)
husimi(dataset, polar, azimuth)
phase_distribution(dataset, azimuth)
pair_measures(dataset)
entropy(ensemble, *, theory)
asymptotic_phase(ensemble, states, *, theory)
lindblad(ensemble, spins)
one_spin_equation(ensemble, times, *, theory, initial=None, seed=0)
to_piqs(ensemble, spins)
"""
SIGNATURES = CALLS.strip().split("\n")
NAMES = """CavityWarning InputError IntegrationError QutipModel Regime plot sweep_status
plot.COLOURMAP plot.COLOURS plot.REGIME_COLOURS plot.beat_spectrum plot.bloch_sphere plot.compare plot.cut plot.finite_size
plot.frequency plot.linewidths plot.order_parameter plot.phase_diagram plot.phase_difference plot.phases plot.project
plot.save plot.spectra plot.style"""
FIELDS = {
    "Group": "gain damping dephasing frequency weight name",
    "Ensemble": "groups coupling_matrix",
    "Lorentzian": "half_width center",
    "Gaussian": "std center",
    "Uniform": "half_width center",
    "Samples": "values",
    "Cumulants": "spins rtol nodes",
    "Exact": "spins",
    "Trajectories": "spins",
    "TruncatedWigner": "spins samples dt",
    "BruteForce": "spins",
    "MeanField": "rtol atol nodes",
}
REGIMES = {
    "UNDECIDED": (-1, "undecided"), "INCOHERENT": (0, "incoherent"), "FULL": (1, "full"), "PHASE_TRAPPED": (2, "phase-trapped"),
    "PARTIAL": (3, "partial"), "IRREGULAR": (4, "irregular"), "PULSATING": (5, "pulsating"),
}  # fmt: skip

ONE, TWO = laser(), ss.Ensemble.pair(detuning=1.0, gain=3, damping=1, coupling=16, theta=-HALF_PI)
LONG_TIME = """regime period order_parameter frequency(group) amplitude(group) inversion(group) order_parameter_range(bound)
phase_locking(group,other_group) phase_difference(group,other_group) settled lyapunov status"""
#: calls, and variables or coordinates of their results, each with all its dimensions in their order
RESULTS = {
    "evolve": (lambda: ss.evolve(TWO, [0.0, 1.0]), "coherence(time,group) inversion(time,group) order_parameter(time)"),
    "evolve, each": (
        lambda: ss.evolve(TWO, [0.0, 1.0], each=True),
        "spin_coherence(time,spin) spin_inversion(time,spin) spin_group(spin) spin_frequency(spin) spin_weight(spin)",
    ),
    "evolve, finite N": (
        lambda: ss.evolve(TWO, [0.0, 1.0], theory=ss.Exact(2)),
        "coherence(time,group) inversion(time,group) order_parameter(time) correlation(time,group,other_group) spins",
    ),
    "compare": (
        lambda: ss.compare(TWO, [0.0, 1.0], theories=[ss.MeanField(), ss.Exact(2)]),
        "coherence(theory,time,group) inversion(theory,time,group) order_parameter(theory,time) "
        "correlation(theory,time,group,other_group) spins(theory)",
    ),
    "steady_state": (
        lambda: ss.steady_state(TWO), "coherence(group) inversion(group) frequency(group) order_parameter stable"
    ),
    "steady_state, finite N": (
        lambda: ss.steady_state(TWO, theory=ss.Exact(2)),
        "inversion(group) correlation(group,other_group) order_parameter spins"
    ),
    "linewidth": (lambda: ss.linewidth(ONE, theory=ss.Exact(2)), "frequency linewidth degenerate spins"),
    "linewidth, many spins": (
        lambda: ss.linewidth(ONE, theory=ss.MeanField(), spins=10**6), "frequency linewidth degenerate spins"
    ),
    "linewidth, modes": (
        lambda: ss.linewidth(ONE, theory=ss.Exact(2), modes=1), "frequency(mode) linewidth(mode) degenerate(mode)"
    ),
    "emission_spectrum": (
        lambda: ss.emission_spectrum(ONE, [0.0, 1.0], theory=ss.Exact(2)), "emission(frequency) frequency(frequency)"
    ),
    "photon_statistics": (lambda: ss.photon_statistics(ONE, [0.0, 1.0], theory=ss.Exact(2)), "g2(delay) delay(delay) spins"),
    "squeezing": (lambda: ss.squeezing(ss.steady_state(TWO, theory=ss.Exact(2))), "wineland dicke spins"),
    "limit_cycle": (lambda: ss.limit_cycle(ONE), "synchronized frequency amplitude inversion"),
    "symmetric_pair": (lambda: ss.symmetric_pair(TWO), "exists stable frequency amplitude inversion phase_difference"),
    "regime": (lambda: ss.regime(TWO), LONG_TIME),
    "bloch": (lambda: ss.bloch(ss.evolve(TWO, [0.0])).to_dataset(name="bloch"), "bloch(time,group,axis)"),
}  # fmt: skip

COMMANDS = {
    "paper": {"--out", "--quick"},
    "evolve": {"MODEL.toml", "--theory", "--spins", "--until", "--points", "--seed", "--out"},
    "steady-state": {"MODEL.toml", "--theory", "--spins", "--seed", "--out"},
    "regime": {"MODEL.toml", "--seed", "--out"},
    "explore": set(),
    "doctor": {"--clear-cache"},
}


def named(dotted):
    found = ss
    for part in dotted.split("."):
        found = getattr(found, part)
    return found


def parameters(text):
    """Names, kinds and defaults of the parameters in a signature written as text."""
    space = {"ss": ss}
    exec(f"def written({text}: ...", space)
    return signature(space["written"]).parameters


@pytest.mark.parametrize("line", SIGNATURES)
def test_a_call_takes_the_arguments_of_the_contract(line):
    name, _, arguments = line.partition("(")
    promised, today = parameters(arguments), signature(named(name)).parameters
    for argument, one in promised.items():
        assert argument in today, argument
        assert today[argument].kind == one.kind, argument
        assert today[argument].default == one.default, argument
    positional = [n for n, one in promised.items() if one.kind is Parameter.POSITIONAL_OR_KEYWORD]
    assert [n for n, one in today.items() if one.kind is Parameter.POSITIONAL_OR_KEYWORD][: len(positional)] == positional
    for argument in today.keys() - promised.keys():
        assert today[argument].default is not Parameter.empty, argument


def test_what_show_returns_takes_the_arguments_of_the_contract():
    sphere = ss.show(ss.evolve(ONE, [0.0, 1.0]))
    assert list(signature(sphere.save).parameters) == ["path"]
    assert list(signature(sphere.update).parameters) == ["run"]
    assert {"frame", "playing", "speed", "colour", "trails", "height"} <= set(sphere.trait_names())


@pytest.mark.parametrize("name", NAMES.split())
def test_a_public_name_is_kept(name):
    assert named(name) is not None


def test_every_public_name_is_in_the_contract():
    """Whoever adds a public name adds it here."""
    promised = {line.partition("(")[0] for line in SIGNATURES} | set(NAMES.split())
    assert set(ss.__all__) - {"__version__"} == {name for name in promised if "." not in name}
    assert {f"plot.{name}" for name in ss.plot.__all__} <= promised


@pytest.mark.parametrize("name", FIELDS)
def test_fields_can_be_read(name):
    made = {"Group": ss.Group(1, 2), "Ensemble": ONE, "Samples": ss.Samples([1.0]), "MeanField": ss.MeanField()}
    made["TruncatedWigner"] = ss.TruncatedWigner(2, 2)
    example = made[name] if name in made else getattr(ss, name)(2)
    for field in FIELDS[name].split():
        assert hasattr(example, field), field


def test_the_regimes_have_their_codes_and_labels():
    assert {one.name: int(one) for one in ss.Regime} == {name: code for name, (code, _) in REGIMES.items()}
    assert [ss.label(code) for code, _ in REGIMES.values()] == [text for _, text in REGIMES.values()]


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_has_its_variables_and_dimensions(name):
    call, text = RESULTS[name]
    result = call()
    for promised in text.split():
        variable, _, dims = promised.rstrip(")").partition("(")
        assert variable in result.variables, variable
        assert result[variable].dims == tuple(dims.split(",") if dims else ()), variable


def test_a_diagram_has_the_variables_of_a_regime_along_its_axes():
    diagram = ss.phase_diagram(TWO, {"coupling": [2.0, 16.0], "A.gain": [3.0]})
    assert diagram.regime.dtype == "int8"
    meanings = diagram.regime.attrs["flag_meanings"].replace("_", "-").split()
    assert dict(zip(meanings, diagram.regime.attrs["flag_values"], strict=True)) == {t: code for code, t in REGIMES.values()}
    for promised in LONG_TIME.split():
        variable, _, dims = promised.rstrip(")").partition("(")
        assert diagram[variable].dims == ("coupling", "A.gain", *(dims.split(",") if dims else ())), variable


def test_every_result_records_its_question():
    assert ss.evolve(ONE, [0.0]).attrs.keys() >= {"verb", "model", "version", "theory", "seed"}


def test_the_command_line_has_its_commands_and_options():
    commands = get_command(app).commands
    assert commands.keys() >= COMMANDS.keys()
    for name, promised in COMMANDS.items():
        options = {text for one in commands[name].params for text in (*one.opts, one.metavar)}
        assert promised <= options, name
    assert any("--version" in one.opts for one in get_command(app).params)
