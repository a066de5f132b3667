"""`polyrelu tessellate --method march`, and balls as domains."""

from __future__ import annotations

import json
from pathlib import Path

from cases import FOLDER
from test_cli import refused, run  # noqa: F401  (fixtures)

SPACE = str(FOLDER / "rint_3_4_3_1_s14.npz")


def test_a_march_prints_what_the_default_method_prints(run):  # noqa: F811
    code, out, _ = run("tessellate", SPACE, "--method", "march", "--json")
    _, expected, _ = run("tessellate", SPACE, "--method", "split", "--json")
    found, wanted = json.loads(out), json.loads(expected)
    assert code == 0
    for key in ("regions", "bounded", "adjacencies", "linear_regions", "affine_maps", "hamming1_pairs"):
        assert found[key] == wanted[key]


def test_a_march_that_may_not_go_far_is_said_to_be_incomplete(run):  # noqa: F811
    code, out, _ = run("tessellate", SPACE, "--method", "march", "--start", "1/3,-2,5", "--max-distance", 1, "--json")
    found = json.loads(out)
    assert code == 0 and found["complete"] is False and 1 < found["regions"] < 28


def test_a_march_in_a_flat_domain_starts_where_it_is_told(run):  # noqa: F811
    domain = ("--domain", "-5:5,2:2,-5:5")
    _, out, _ = run("tessellate", SPACE, *domain, "--json")
    code, found, _ = run("tessellate", SPACE, *domain, "--method", "march", "--start", "1,2,3", "--json")
    assert code == 0 and json.loads(found)["regions"] == json.loads(out)["regions"]


def test_a_start_without_a_march_is_refused(refused):  # noqa: F811
    assert "--method march" in refused("tessellate", SPACE, "--start", "1,2,3")
    assert "point of the domain" in refused(
        "tessellate", SPACE, "--method", "march", "--domain", "0:1", "--start", "1,2,3"
    )


def test_a_ball_is_a_domain(run, refused, tmp_path: Path):  # noqa: F811
    ball, box = tmp_path / "ball.json", "-3/2:5/2,-2:2,-1:3"
    ball.write_text('{"centre": ["1/2", 0, 1], "radius": 2, "norm": "inf"}')
    _, out, _ = run("tessellate", SPACE, "--domain", ball, "--json")
    _, expected, _ = run("tessellate", SPACE, "--domain", box, "--json")
    assert json.loads(out)["regions"] == json.loads(expected)["regions"]
    ball.write_text('{"centre": ["1/2", 0, 1], "radius": 2, "norm": 1}')
    code, smaller, _ = run("tessellate", SPACE, "--domain", ball)
    assert code == 0 and "exact volumes add up to the domain's 32/3" in smaller
    ball.write_text('{"centre": [0, 0, 0], "radius": -1, "norm": 1}')
    assert "Domain.ball" in refused("tessellate", SPACE, "--domain", ball)
    ball.write_text(json.dumps({"centre": [0] * 17, "radius": 1, "norm": 1}))
    assert "2^dim facets" in refused("tessellate", SPACE, "--domain", ball)
