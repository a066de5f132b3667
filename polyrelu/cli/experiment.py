"""`polyrelu experiment`: what papers found in networks trained on images, trained and counted anew."""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from polyrelu.cli.arguments import count
from polyrelu.cli.output import DONE, say
from polyrelu.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENTS", "add_arguments", "run"]


class Experiment(NamedTuple):
    """An experiment: its name, what it shows, and the functions that run and draw it, as ``module:function``."""

    name: str
    help: str
    run: str
    draw: str


EXPERIMENTS = (
    Experiment(
        "apd-digits",
        "clusters of the pattern DAG, forgetting events and errors (Craighero et al. 2020)",
        "polyrelu.analysis.experiments.apd_digits:run",
        "polyrelu.plot.apd_digits:draw_apd_digits",
    ),
    Experiment(
        "local-maps-digits",
        "clusters of local affine maps, and affine maps between them (Sattelberg et al. 2020)",
        "polyrelu.analysis.experiments.local_maps_digits:run",
        "polyrelu.plot.local_maps_digits:draw_local_maps_digits",
    ),
    Experiment(
        "tropex-digits",
        "extracted functions of dense and convolutional networks (Trimmel et al. 2021)",
        "polyrelu.analysis.experiments.tropex_digits:run",
        "polyrelu.plot.tropex_digits:draw_tropex_digits",
    ),
    Experiment(
        "codes-digits",
        "patterns of an autoencoder and a classifier while they learn (Shepeleva et al. 2020)",
        "polyrelu.analysis.experiments.codes_digits:run",
        "polyrelu.plot.codes_digits:draw_codes_digits",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    lines = "".join(f"  {each.name:<18} {each.help}\n" for each in EXPERIMENTS)
    parser.epilog = f"experiments:\n{lines}\n{textwrap.fill(parser.epilog or '', 78)}"
    name_help = "which experiment: " + ", ".join(each.name for each in EXPERIMENTS)
    parser.add_argument("name", metavar="NAME", help=name_help)
    data_help = "digits (default): 1,797 images that come with scikit-learn; mnist:DIR: the original files in a folder"
    parser.add_argument("--data", default="digits", metavar="DATA", help=data_help)
    parser.add_argument("--train", type=count, metavar="N", help="use at most N images for training")
    parser.add_argument("--test", type=count, metavar="N", help="use at most N images for tests")
    parser.add_argument("--epochs", type=count, metavar="N", help="train for N epochs (default: the experiment's own)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="draws all that is random, from 0 (default)")
    parser.add_argument("--out", metavar="DIR", help="save the figures and the result, as JSON, in this folder")
    parser.add_argument("--force", action="store_true", help="overwrite existing files")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.analysis.experiments.image_data import image_data

    experiment = next((each for each in EXPERIMENTS if each.name == arguments.name), None)
    if experiment is None:
        names = ", ".join(each.name for each in EXPERIMENTS)
        raise InputError(f"experiment needs one of {names} but received {arguments.name!r}. Choose one.")
    folder = _folder(arguments, experiment)
    data = image_data(arguments.data).first(arguments.train, arguments.test)
    options = {} if arguments.epochs is None else {"epochs": arguments.epochs}
    with _stage_line() as progress:
        result = _function(experiment.run)(data, seed=arguments.seed, progress=progress, **options)
    report = json.dumps(result.to_json(), indent=2)
    say(report if arguments.json else result.to_text())
    if folder is not None:
        written = _save(folder, experiment, report, _function(experiment.draw)(result))
        if not arguments.json:
            say("\n".join(f"saved {path}" for path in written))
    return DONE


def _folder(arguments: argparse.Namespace, experiment: Experiment) -> Path | None:
    """Return the folder to write to, made if need be; refuse one that holds results of this experiment."""
    from polyrelu.tessellation.targets import make_folder

    if arguments.out is None:
        return None
    folder = Path(arguments.out)
    if not arguments.force and (folder / f"{experiment.name}.json").exists():
        raise InputError(
            f"--out needs a folder without results of {experiment.name} but {arguments.out!r} has some. "
            "Add --force, or name another folder."
        )
    return make_folder("--out", folder)


def _function(place: str) -> Callable:
    module, name = place.split(":")
    return getattr(import_module(module), name)


def _save(folder: Path, experiment: Experiment, report: str, figures: dict[str, Figure]) -> list[Path]:
    from polyrelu.plot.figure import save
    from polyrelu.tessellation.targets import replacing

    written = []
    for name, figure in figures.items():
        words = re.sub("[^a-z0-9]+", "-", name.lower())
        written.append(folder / f"{experiment.name}-{words}.png")
        with replacing(written[-1]) as path:
            save(figure, path)
    written.append(folder / f"{experiment.name}.json")
    with replacing(written[-1]) as path:
        path.write_text(report + "\n", encoding="utf-8")
    return written


@contextmanager
def _stage_line() -> Iterator[Callable[[str], None]]:
    """Yield ``progress(what)``, which says on a terminal what is being worked on."""
    from tqdm import tqdm

    with tqdm(file=sys.stderr, disable=None, leave=False, bar_format="{elapsed} {desc}") as bar:
        yield bar.set_description_str
