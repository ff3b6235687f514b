"""Whether a store's documents can be used, and every mistake that keeps them from it, with file, line and remedy.

Knows nothing of customers. `load` and `check` look into a folder; everything else takes texts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import cast

from rekindle import settings
from rekindle.errors import BadData, UsageError
from rekindle.program import contracts, experiment_contracts, offer_contracts, rule_contracts, target_contracts
from rekindle.program.contracts import Surroundings
from rekindle.program.documents import Documents, Program
from rekindle.program.experiments import Experiment
from rekindle.program.fields import Entry
from rekindle.program.offer_contracts import Earnings
from rekindle.program.offers import OfferList
from rekindle.program.reading import EXPERIMENTS, OFFERS, PROGRAMS, RULES, SEGMENTS, TARGETS, Reading, Unreadable, folder, read_once
from rekindle.program.rules import Rules
from rekindle.program.segments import SegmentList
from rekindle.program.targets import TargetList
from rekindle.program.validating import E, Mistake, Severity, Validated, validate
from rekindle.settings import WrongSettings

_APART = frozenset({OFFERS, RULES, SEGMENTS, TARGETS})
"""The documents that are no programs, besides experiments."""

MARGIN = float(settings.Settings.model_fields["margin"].default)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake in one document.

    Args:
        file: Relative to the store folder.
        line: Counted from 1.
        rule: The rule it breaks; docs/programs.md and docs/lint.md list them.
        message: What is wrong.
        remedy: What to do about it.
        severity: A warning does not keep the documents from being used.
    """

    file: str
    line: int
    rule: str
    message: str
    remedy: str
    severity: Severity = "error"

    def __str__(self) -> str:
        """One line for people, in the form that editors can follow."""
        return f"{self.file}:{self.line}: {self.severity}: {self.message}. {self.remedy} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class Examined:
    """Documents and what is wrong with them.

    Args:
        documents: None where a finding is an error.
        findings: By file and line.
    """

    documents: Documents | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What documents are examined for.

    Args:
        margin: The store's margin on goods of unknown cost, share of the price.
        currency: The store's, ISO 4217; empty where it is not known yet.
        approving: True where a person is about to say yes: an owner must be there.
        today: The day of the question; None where reviews are not looked at.
        held: The day by which the next review is due of programs whose last one was held, by name.
        earns: What orders earn; None where no customer is known.
    """

    margin: float = MARGIN
    currency: str = ""
    approving: bool = False
    today: date | None = None
    held: Mapping[str, date] = field(default_factory=dict)
    earns: Earnings | None = None


def check(
    root: Path,
    approving: bool = False,
    today: date | None = None,
    held: Mapping[str, date] | None = None,
    earns: Earnings | None = None,
) -> tuple[Finding, ...]:
    """Every mistake in a store folder's documents, by file and line; of settings that cannot be used, the others count.

    Args:
        root: The store folder.
        approving: True where a person is about to say yes: an owner must be there.
        today: The day of the question, for overdue reviews; None leaves them out.
        held: The day by which the next review is due of programs whose last one was held, by name.
        earns: What orders earn; None where no customer is known.
    """
    try:
        money = _money(root)
    except WrongSettings as error:
        money = _known_money(error)
    return _in_folder(root, Question(*money, approving, today, held or {}, earns)).findings


def load(root: Path, earns: Earnings | None = None) -> Documents:
    """A store folder's documents.

    Args:
        root: The store folder.
        earns: As `check` has it.

    Raises:
        BadData: They cannot be used; names file, line and remedy of the first mistake, and how many there are.
    """
    return _usable(_in_folder(root, Question(*_money(root), earns=earns)))


def assemble(texts: Mapping[str, bytes], margin: float = MARGIN) -> Documents:
    """Documents from their texts by file name, such as approved versions from the ledger.

    Raises:
        BadData: As `load`.
    """
    return _usable(examine(texts, Question(margin)))


def examine(texts: Mapping[str, bytes], question: Question) -> Examined:
    """Reads, validates and compares documents.

    Args:
        texts: The documents by file name; every name but offers.yaml, rules.yaml, segments.yaml, targets.yaml and experiments/... is a
            program's.
        question: What they are examined for.
    """
    bench = _Bench(texts)
    offers = bench.validated(OfferList, OFFERS)
    rules = bench.validated(Rules, RULES)
    segments, targets = bench.validated(SegmentList, SEGMENTS), bench.validated(TargetList, TARGETS)
    named = segments.segments if segments else ()
    language = rule_contracts.language_of(named, _names(bench.readings.get(SEGMENTS), "segments") or (), rules)
    around = _surroundings(offers, bench.readings.get(OFFERS), question)
    programs = {name: bench.validated(Program, name) for name in sorted(_of_programs(texts))}
    whole = tuple(program for program in programs.values() if program is not None)
    if rules is not None:
        stated = rule_contracts.of_rules(rules, question.currency, _programs(texts, bench.readings))
        unpaid = rule_contracts.of_empty_budgets(rules, around.offers, whole)
        bench.note(RULES, (*contracts.of_rules(rules), *rule_contracts.of_exceptions(rules), *stated, *unpaid))
    if offers is not None:
        bench.note(OFFERS, tuple(offer_contracts.of_offers(around.offers, offer_contracts.Means(question.margin, rules, question.earns))))
    if segments is not None:
        bench.note(SEGMENTS, tuple(rule_contracts.of_segments(named, language, question.approving, question.today)))
    if targets is not None:
        bench.note(TARGETS, tuple(target_contracts.of_targets(targets.targets, _programs(texts, bench.readings), question.approving)))
    for name, program in programs.items():
        if program is not None:
            bench.note(name, contracts.of_program(program, replace(around, listed=_listed(bench.readings[name]))))
            bench.note(name, rule_contracts.of_program_rules(program, language))
            if rules is not None:
                bench.note(name, (*offer_contracts.of_budgets(program, around.offers, rules), *rule_contracts.of_hours(program, rules)))
    experiments = _experiments(bench, list(whole), question.approving)
    bench.findings.extend(_across(texts, bench.readings))
    findings = tuple(sorted(set(bench.findings)))
    if rules is None or any(one.severity == "error" for one in findings):
        return Examined(None, findings)
    wanted = targets.targets if targets else ()
    return Examined(Documents(whole, around.offers, rules, named, bench.readings, wanted, experiments), findings)


def _of_programs(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in texts if name not in _APART and not name.startswith(f"{EXPERIMENTS}/"))


@lru_cache(maxsize=64)
def _validated(model: type[Entry], text: bytes) -> Validated[Entry]:
    """A text that can be read, validated: the others of a folder stay as they are while somebody writes one."""
    return validate(model, read_once(text))


class _Bench:
    """Documents as they are taken apart: texts, then readings, then findings."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self.texts = texts
        self.findings: list[Finding] = []
        self.readings: dict[str, Reading] = {}
        for name, text in texts.items():
            try:
                self.readings[name] = read_once(text)
            except Unreadable as error:
                self.findings.append(Finding(name, error.line, "unreadable", error.why, error.remedy))

    def validated(self, model: type[E], name: str) -> E | None:
        if name not in self.readings:
            return None
        validated = cast(Validated[E], _validated(model, self.texts[name]))
        self.note(name, validated.mistakes)
        return validated.entry

    def note(self, name: str, mistakes: Iterator[Mistake] | tuple[Mistake, ...]) -> None:
        reading = self.readings[name]
        self.findings.extend(Finding(name, reading.line(one.path), one.rule, one.why, one.remedy, one.severity) for one in mistakes)


def _experiments(bench: _Bench, programs: list[Program], approving: bool) -> tuple[Experiment, ...]:
    """The store's experiments, what is wrong with each noted: two share a name, or one names what is not there."""
    found: dict[str, Experiment] = {}
    for file in sorted(name for name in bench.readings if name.startswith(f"{EXPERIMENTS}/")):
        one = bench.validated(Experiment, file)
        if one is None:
            continue
        bench.note(file, tuple(experiment_contracts.of_experiment(one, programs, approving)))
        if one.name in found:
            why = f"there are two experiments '{one.name}'"
            bench.note(file, (Mistake(("experiment",), "experiment-twice", why, "Rename one of them."),))
        found[one.name] = one
    return tuple(found.values())


def _surroundings(offers: OfferList | None, reading: Reading | None, question: Question) -> Surroundings:
    names = _names(reading, "offers")
    held = {offer.name: offer for offer in offers.offers} if offers else {}
    return Surroundings(held, names, question.margin, {}, question.approving, question.today, question.held)


def _names(reading: Reading | None, key: str) -> frozenset[str] | None:
    """The names that a document lists under a key, with mistakes or without; None where it cannot be read."""
    listed = reading.value.get(key) if reading else None
    return frozenset(listed) if isinstance(listed, dict) else None


def _listed(reading: Reading) -> dict[str, frozenset[str]]:
    """The names of the arms that a program's document lists, by stage, whether or not they are well formed."""
    stages = reading.value.get("stages")
    found = stages.items() if isinstance(stages, dict) else ()
    arms = {name: stage.get("arms") if isinstance(stage, dict) else None for name, stage in found}
    return {name: frozenset(one) if isinstance(one, dict) else frozenset() for name, one in arms.items()}


def _programs(texts: Mapping[str, bytes], readings: Mapping[str, Reading]) -> frozenset[str] | None:
    """The names that programs give themselves; None where one cannot be read."""
    files = _of_programs(texts)
    return frozenset(str(readings[file].value.get("program")) for file in files) if files <= set(readings) else None


def _across(texts: Mapping[str, bytes], readings: Mapping[str, Reading]) -> Iterator[Finding]:
    """What is wrong between files: one is missing, or two programs share a name."""
    for name in (OFFERS, RULES):
        if name not in texts:
            yield Finding(name, 1, "file-missing", "the file is not there", "Write it; `rekindle init` of a new folder shows one.")
    programs = {name: reading for name, reading in readings.items() if name in _of_programs(texts)}
    if not _of_programs(texts):
        remedy = "Write programs/NAME.yaml; `rekindle init` of a new folder shows one."
        yield Finding(PROGRAMS, 1, "file-missing", "there is no program", remedy)
    names = {file: str(reading.value["program"]) for file, reading in programs.items() if "program" in reading.value}
    for file, name in names.items():
        if others := ", ".join(other for other, its in names.items() if other != file and its == name):
            line = programs[file].line(("program",))
            yield Finding(file, line, "program-twice", f"the program '{name}' is in {others} too", "Rename one of them.")


def _in_folder(root: Path, question: Question) -> Examined:
    texts, unreadable = folder(root)
    examined = examine(texts, question)
    if not unreadable:
        return examined
    remedy = "Make it a readable .yaml file."
    closed = [Finding(file, 1, "unreadable", f"the file cannot be read: {why}", remedy) for file, why in unreadable.items()]
    rest = (one for one in examined.findings if one.file not in unreadable)
    return Examined(None, tuple(sorted((*closed, *rest))))


def _money(root: Path) -> tuple[float, str]:
    """The store's margin and currency; the default and none where the folder has no settings yet."""
    try:
        held = settings.load(root)
    except UsageError:
        return MARGIN, ""
    return float(held.margin), held.currency


def _known_money(wrong: WrongSettings) -> tuple[float, str]:
    """The same of settings that cannot be used, as far as these two can be told."""
    if wrong.rest is None:
        return MARGIN, ""
    return float(wrong.rest.margin), "" if any(one.setting == "currency" for one in wrong.wrong) else wrong.rest.currency


def _usable(examined: Examined) -> Documents:
    if examined.documents is not None:
        return examined.documents
    errors = [one for one in examined.findings if one.severity == "error"]
    more = f" (and {len(errors) - 1} more; `rekindle check` lists all)" if len(errors) > 1 else ""
    raise BadData(f"{errors[0].file}, line {errors[0].line}: {errors[0].message}{more}", errors[0].remedy)
