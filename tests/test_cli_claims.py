"""`polyrelu claims`, from the outside."""

from __future__ import annotations

import json

import pytest
from cases import FOLDER

from polyrelu import cli
from polyrelu.analysis.claims import registry
from polyrelu.analysis.claims.evidence import Computation
from polyrelu.analysis.claims.model import Claim, Outcome, found

QUICK = ("001-xor-fourth-map", "000-labels", "004-table-1-leaky", "001-decision-sets", "001-xor-repair")
NARROW = FOLDER / "width2_bounded_cell.npz"


@pytest.fixture
def run(capsys):
    """Return a function that runs a command and returns its exit code, what it prints, and its complaint."""

    def run(*argv: object) -> tuple[int, str, str]:
        code = cli.main(["claims", *(str(argument) for argument in argv)])
        out, err = capsys.readouterr()
        return code, out, err.replace("compiling the loops once (about a minute) ...\n", "")

    return run


def made_up(name: str, expected: Outcome, value: int = 4) -> Claim:
    """Return a claim that is true, with evidence that is right if the value is 4."""

    def decide(subject):
        evidence = Computation("2 + 2", sum, ((2, 2),), value)
        return found("2 + 2 = 4", Outcome.TRUE, evidence, "a sum", ("numbers are integers",))

    return Claim(name, "A paper", "eq. (1)", "2 + 2 = 4", expected, decide)


@pytest.fixture
def claims(monkeypatch):
    """Return a function that replaces the list of all claims."""
    return lambda *chosen: monkeypatch.setattr(registry, "all_claims", lambda: chosen)


def test_json_has_every_verdict(run):
    code, out, err = run(*QUICK, "--json")
    told = {record["id"]: record for record in json.loads(out)["claims"]}
    assert (code, err) == (0, "")
    assert list(told) == list(QUICK)
    assert [told[name]["verdict"] for name in QUICK] == [False, "definition", "true-under", "not-refuted", True]
    assert all(record["checked"] is True for record in told.values())
    assert told["004-table-1-leaky"]["hypotheses"] == ["0 <= alpha <= 1"]
    keys = {"id", "paper", "place", "statement", "verdict", "hypotheses", "evidence", "checked"}
    assert all(set(record) == keys for record in told.values())


def test_table_has_a_heading_for_each_paper_and_a_line_for_each_claim(run):
    code, out, _ = run("001-xor", "000-labels")
    lines = out.splitlines()
    assert code == 0
    assert [line for line in lines if line.startswith(("Sattelberg", "Craighero"))] == [lines[0], lines[5]]
    assert [line.split()[0] for line in lines[1:5]] == [
        "001-xor-pieces", "001-xor-repair", "001-xor-fourth-map", "001-xor-three-regions",
    ]  # fmt: skip
    assert [line.split()[1] for line in lines[1:5]] == ["false", "true", "false", "true"]
    assert lines[-1] == "5 claims: 1 definition, 2 false, 2 true; the evidence of 5 is accepted"


def test_list_decides_nothing(run, claims):
    def decide(subject):
        raise AssertionError("decided")

    claims(Claim("c-1", "A paper", "eq. (1)", "2 + 2 = 4", Outcome.TRUE, decide))
    assert run("--list") == (0, "A paper\n  c-1  2 + 2 = 4 (eq. (1))\n", "")
    record = {"id": "c-1", "paper": "A paper", "place": "eq. (1)", "statement": "2 + 2 = 4"}
    assert json.loads(run("--list", "--json")[1]) == {"claims": [record]}


def test_another_verdict_than_expected_is_exit_code_1(run, claims):
    claims(made_up("c-1", Outcome.TRUE), made_up("c-2", Outcome.FALSE))
    code, out, err = run()
    assert code == 1
    assert "c-1  true         if numbers are integers: a sum" in out
    assert err == "polyrelu: c-2 needs the verdict false but is true. Please report it.\n"


def test_refused_evidence_is_exit_code_1(run, claims):
    claims(made_up("c-1", Outcome.TRUE, value=5))
    code, out, err = run("--json")
    assert code == 1
    assert json.loads(out)["claims"][0]["checked"] is False
    assert "the evidence of c-1 is refused: A proof needs the value it states (2 + 2)" in err
    assert "REFUSED: " in run()[1]


def test_one_claim_for_one_network(run):
    code, out, err = run("001-width-2", "--model", NARROW, "--json")
    [record] = json.loads(out)["claims"]
    assert (code, err, record["verdict"], record["checked"]) == (0, "", False, True)
    code, out, _ = run("001-decision-sets", "--model", NARROW, "--json")
    assert (code, json.loads(out)["claims"][0]["verdict"]) == (0, True)
    code, out, _ = run("x-box-adjacency", "--model", NARROW, "--domain", "-1:1", "--json")
    assert (code, json.loads(out)["claims"][0]["verdict"]) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["001-xor-fourth"], ""),
        (["no-such-claim"], "needs an id of the list but received 'no-such-claim'"),
        (["001", "--model", NARROW], "--model needs one claim but received"),
        (["--domain", "unit"], "--domain needs a network but received none"),
        (["000-labels", "--model", NARROW], "Claim 000-labels needs no network but received one"),
        (["001-width-2", "--model", FOLDER / "rint_1_5_5_1_s1.npz"], "with no layer wider than its 1 inputs"),
        (["004-eq-2", "--model", NARROW], "needs two outputs or more"),
        (["001-width-2", "--model", FOLDER / "nothing.npz"], "nothing.npz"),
    ],
)
def test_what_cannot_be_decided_is_refused_in_one_line(run, arguments, complaint):
    code, out, err = run(*arguments)
    if not complaint:  # the beginning of an id will do
        assert code == 0
        return
    assert (code, out) == (2, "")
    assert complaint in err
    assert err.count("\n") == 1


def test_an_interrupt_shows_what_was_decided(run, claims):
    def decide(subject):
        raise KeyboardInterrupt

    claims(made_up("c-1", Outcome.TRUE), Claim("c-2", "A paper", "eq. (2)", "1 = 1", Outcome.TRUE, decide))
    code, out, err = run()
    assert code == 130
    assert "c-1  true" in out
    assert err == "polyrelu: interrupted after 1 of 2 claims.\n"


def test_no_two_claims_have_one_id(monkeypatch):
    names = [claim.id for claim in registry.all_claims()]
    assert len(names) == len(set(names)) > 60
    assert all(claim.statement and claim.place and claim.paper for claim in registry.all_claims())
