"""`polyrelu tessellate --certificate` and `polyrelu check`, from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import FOLDER

from polyrelu import cli, load

MODEL = FOLDER / "zerobias_2_4_3_1_s0.npz"
OTHER = FOLDER / "xor_01.npz"


@pytest.fixture
def run(capsys):
    """Return a function that runs a command and returns its exit code, what it prints, and its complaint."""

    def run(*argv: object) -> tuple[int, str, str]:
        code = cli.main([str(argument) for argument in argv])
        out, err = capsys.readouterr()
        return code, out, err.replace("compiling the loops once (about a minute) ...\n", "")

    return run


@pytest.fixture
def proof(run, tmp_path) -> Path:
    path = tmp_path / "regions.cert"
    assert run("tessellate", MODEL, "--domain=-1:1", "--certificate", path)[0] == 0
    return path


def test_a_proof_is_written_and_accepted(run, proof):
    code, out, err = run("check", proof, MODEL)
    assert (code, err) == (0, "")
    facts = json.loads(run("tessellate", MODEL, "--domain=-1:1", "--json")[1])
    first, *lines = out.splitlines()
    assert first.startswith(f"accepted: {facts['regions']} regions, ")
    assert "  domain   -1:1,-1:1" in lines


def test_json_holds_the_proved_numbers(run, proof):
    code, out, err = run("check", proof, MODEL, "--json")
    facts, told = json.loads(run("tessellate", MODEL, "--domain=-1:1", "--json")[1]), json.loads(out)
    assert (code, err, told["accepted"]) == (0, "", True)
    assert told["n_regions"] == facts["regions"]
    assert told["n_linear_regions"] == facts["linear_regions"]
    assert told["network"] == load(MODEL).hash
    assert told["rows_of_domain"] == [[1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1]]


def test_what_is_printed_as_the_domain_is_what_was_proved(run, proof, tmp_path):
    """The label in the header is no statement, so it is not shown."""
    from dataclasses import replace

    from polyrelu.certificate.format import read_certificate, to_bytes
    from polyrelu.exact.domain import Domain

    certificate = read_certificate(proof)
    relabelled = replace(certificate, domain=Domain(2, certificate.domain.rows, "-9:9,-9:9"))
    (tmp_path / "label.cert").write_bytes(b"".join(to_bytes(relabelled)))
    assert "  domain   -1:1,-1:1\n" in run("check", tmp_path / "label.cert", MODEL)[1]


def test_a_refusal_names_its_condition(run, proof):
    code, out, err = run("check", proof, OTHER)
    assert (code, out) == (1, "")
    assert err == "polyrelu: The certificate is refused: it is about another network.\n"
    code, out, err = run("check", proof, OTHER, "--json")
    assert (code, json.loads(out)["accepted"]) == (1, False)


def test_a_damaged_file_is_refused(run, proof):
    data = proof.read_bytes()
    proof.write_bytes(data[:-40])
    code, _, err = run("check", proof, MODEL)
    assert code == 1 and "its digest is not that of its contents" in err
    proof.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    assert run("check", proof, MODEL)[0] == 1


def test_missing_files_are_bad_input(run, proof, tmp_path):
    assert run("check", tmp_path / "none.cert", MODEL)[0] == 2
    assert run("check", proof, tmp_path / "none.npz")[0] == 2


def test_a_proof_does_not_overwrite(run, proof):
    code, _, err = run("tessellate", MODEL, "--domain=-1:1", "--certificate", proof)
    assert code == 2 and "--certificate needs a new file" in err
    assert run("tessellate", MODEL, "--domain=-2:2", "--certificate", proof, "--force")[0] == 0
    assert "  domain   -2:2,-2:2\n" in run("check", proof, MODEL)[1]


def test_an_incomplete_tessellation_leaves_no_proof(run, tmp_path):
    path = tmp_path / "partial.cert"
    code, _, _ = run("tessellate", FOLDER / "perf_2_32_32_1_s91.npz", "--max-regions", "1", "--certificate", path)
    assert code == 3
    assert not path.exists()


def test_slices_and_flat_domains_carry_their_map(run, tmp_path):
    plane = tmp_path / "plane.json"
    plane.write_text(json.dumps({"point": [0, 0, 0], "directions": [[1, 0, "1/2"], [0, 1, "1/3"]]}))
    model = FOLDER / "rint_3_4_3_1_s14.npz"
    for options in (("--slice", plane), ("--domain", "0:1,0:1,1/2:1/2")):
        path = tmp_path / f"{options[0].strip('-')}.cert"
        assert run("tessellate", model, *options, "--certificate", path)[0] == 0
        code, out, _ = run("check", path, model)
        assert code == 0
        assert "  slice    of the model's inputs" in out
