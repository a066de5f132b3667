"""`polyrelu claims`: what published papers state about regions, each statement decided with evidence."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from polyrelu.cli.output import DONE, INTERRUPTED, fail, say
from polyrelu.cli.work import announce_compilation, held_interrupts
from polyrelu.errors import InputError

if TYPE_CHECKING:
    from polyrelu.analysis.claims.model import Claim, Subject
    from polyrelu.analysis.claims.registry import Trial

__all__ = ["UNEXPECTED", "add_arguments", "run"]

UNEXPECTED = 1
WIDEST = 160


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Exit codes: 0 every verdict is as expected and its evidence accepted (with --model: accepted); 1 one is not; "
        "2 bad input; 130 after Ctrl-C, which prints what was decided until then."
    )
    id_help = "only these claims, or those whose ids start so (default: all)"
    parser.add_argument("id", nargs="*", metavar="ID", help=id_help)
    parser.add_argument("--list", action="store_true", help="list the statements, and decide nothing")
    model_help = "decide one claim for this network alone: .npz (W0, b0, W1, b1, ...) or .onnx"
    parser.add_argument("--model", metavar="MODEL", help=model_help)
    domain_help = "with --model: all (default), unit, LO:HI for every input, LO:HI,LO:HI,... or a JSON file"
    parser.add_argument("--domain", metavar="DOMAIN", help=domain_help)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.analysis.claims.registry import try_claim

    with held_interrupts():
        claims = _chosen(arguments.id)
    subject = _subject(arguments)
    if subject is not None and len(claims) != 1:
        raise InputError(f"--model needs one claim but received {len(claims)}. Name one id (polyrelu claims --list).")
    if arguments.list:
        _list(claims, arguments.json)
        return DONE
    if subject is None or subject.network.dim <= 2:
        announce_compilation("plane")
    trials: list[Trial] = []
    try:
        with _claim_bar(len(claims)) as progress:
            for claim in claims:
                progress(claim.id)
                trials.append(try_claim(claim, subject))
    except KeyboardInterrupt:
        _show(trials, arguments.json)
        return fail(f"interrupted after {len(trials)} of {len(claims)} claims.", INTERRUPTED)
    _show(trials, arguments.json)
    for trial in trials:
        if not trial.is_checked:
            fail(f"the evidence of {trial.claim.id} is refused: {trial.refusal}", UNEXPECTED)
        elif not trial.is_expected:
            expected, outcome = trial.claim.expected.value, trial.finding.outcome.value
            fail(f"{trial.claim.id} needs the verdict {expected} but is {outcome}. Please report it.", UNEXPECTED)
    return DONE if all(trial.is_expected for trial in trials) else UNEXPECTED


def _chosen(names: Sequence[str]) -> Sequence[Claim]:
    """Return the claims with these ids; a name that is no id stands for all ids that start with it."""
    from polyrelu.analysis.claims.registry import all_claims, claim_named

    if not names:
        return all_claims()
    known = {claim.id for claim in all_claims()}
    found: dict[str, Claim] = {}
    for name in names:
        starting = [] if name in known else [claim for claim in all_claims() if claim.id.startswith(name)]
        found |= {claim.id: claim for claim in starting or [claim_named(name)]}
    return list(found.values())


def _subject(arguments: argparse.Namespace) -> Subject | None:
    from polyrelu.analysis.claims.model import Subject
    from polyrelu.exact.domain import Domain
    from polyrelu.network.load import load

    if arguments.model is None:
        if arguments.domain is not None:
            raise InputError("--domain needs a network but received none. Add --model, or leave the domain out.")
        return None
    network = load(arguments.model)
    return Subject(network, Domain.parse(arguments.domain or "all", network.dim))


def _list(claims: Sequence[Claim], as_json: bool) -> None:
    if as_json:
        keys = ("id", "paper", "place", "statement")
        say(json.dumps({"claims": [{key: getattr(claim, key) for key in keys} for claim in claims]}, indent=2))
        return
    width = max(len(claim.id) for claim in claims)
    for paper, claim in _with_papers(claims):
        if paper:
            say(paper)
        say(_wrapped(f"  {claim.id:<{width}}  ", f"{claim.statement} ({claim.place})"))


def _show(trials: Sequence[Trial], as_json: bool) -> None:
    if as_json:
        say(json.dumps({"claims": [trial.to_json() for trial in trials]}, indent=2))
        return
    if not trials:
        return
    width = max(len(trial.claim.id) for trial in trials)
    papers = dict(_headings([trial.claim for trial in trials]))
    for trial in trials:
        if trial.claim.id in papers:
            say(papers[trial.claim.id])
        finding = trial.finding
        mark = "" if trial.is_checked else "REFUSED: "
        under = f"if {' and '.join(finding.hypotheses)}: " if finding.hypotheses else ""
        head = f"  {trial.claim.id:<{width}}  {finding.outcome.value:<11}  "
        say(_wrapped(head, f"{mark}{under}{finding.description}"))
    _total(trials)


def _total(trials: Sequence[Trial]) -> None:
    counts: dict[str, int] = {}
    for trial in trials:
        counts[trial.finding.outcome.value] = counts.get(trial.finding.outcome.value, 0) + 1
    accepted = sum(trial.is_checked for trial in trials)
    parts = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    noun = "claim" if len(trials) == 1 else "claims"
    say(f"{len(trials)} {noun}: {parts}; the evidence of {accepted} is accepted")


def _headings(claims: Sequence[Claim]) -> Iterator[tuple[str, str]]:
    """Yield the id of the first claim of each run of claims of one paper, and the paper."""
    last = None
    for claim in claims:
        if claim.paper != last:
            yield claim.id, claim.paper
        last = claim.paper


def _with_papers(claims: Sequence[Claim]) -> Iterator[tuple[str, Claim]]:
    papers = dict(_headings(claims))
    for claim in claims:
        yield papers.get(claim.id, ""), claim


def _wrapped(head: str, text: str) -> str:
    """Return text behind a head, in lines as wide as the terminal allows, all of them where there is none."""
    if not sys.stdout.isatty():
        return head + text
    columns = min(max(shutil.get_terminal_size().columns, len(head) + 40), WIDEST)
    return textwrap.fill(text, columns, initial_indent=head, subsequent_indent=" " * len(head))


@contextmanager
def _claim_bar(total: int) -> Iterator[Callable[[str], None]]:
    """Yield a function that names the claim that is decided now, on a terminal; elsewhere it does nothing."""
    if not sys.stderr.isatty():
        yield lambda name: None
        return
    from tqdm import tqdm

    with tqdm(total=total, unit=" claims", delay=1, leave=False) as bar:
        started = False

        def show(name: str) -> None:
            nonlocal started
            bar.set_description(name)
            bar.update(int(started))
            started = True

        yield show
