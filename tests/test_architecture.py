"""The rules of CONTRIBUTING.md that a syntax tree can check; each test is one rule and names the lines that break it."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "rekindle"
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "core", "base", "shared", "lib", "tools"}
PURE = ("insight", "program", "decide", "deliver", "respond", "learn")
DOORS = {"program/reading.py"}
EXECUTORS = {"history/warehouse.py", "history/duckdb_file.py", "history/published.py", "history/spark_lake.py"}
ASKS_THE_LEDGER = {"service/people/last_look.py", "service/config/emptying.py", "service/config/prepared.py"}
"""SQL written out: every single message asks it, no model says it, or Django's own is kept for the next time."""

EXECUTES = {"execute", "to_pyarrow", "to_pyarrow_batches", "to_pandas", "to_parquet", "to_csv", "raw_sql", "sql", "con", "backend"}
READING = {"open", "read_text", "read_bytes", "exists", "is_file", "is_dir", "stat", "glob", "rglob", "iterdir"}
WRITING = {"write_text", "write_bytes", "mkdir", "unlink", "touch", "symlink_to"}
OUTSIDE = {"os", "shutil", "tempfile", "socket", "smtplib", "urllib", "http", "subprocess", "sqlite3", "requests", "httpx", "logging"}
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def modules(*folders: str) -> list[Path]:
    """The Python files of folders of the repository, migrations apart: Django writes those."""
    files = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in files if "migrations" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def at(path: Path, line: int, what: str = "") -> str:
    return f"{path.relative_to(ROOT)}:{line} {what}".rstrip()


def none_of(broken: list[str]) -> None:
    assert not broken, "\n" + "\n".join(broken)


def within(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def attributes(path: Path, names: set[str]) -> Iterator[str]:
    """Where a module reads an attribute of one of these names."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and node.attr in names:
            yield at(path, node.lineno, f".{node.attr}")


def called(path: Path) -> Iterator[tuple[str, int]]:
    """What a module calls: functions by name, methods by name with a dot before it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield f".{node.func.attr}", node.lineno


def imported(path: Path) -> dict[str, int]:
    """What a module imports, as dotted names with their lines."""
    found = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {name.name: node.lineno for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}": node.lineno for name in node.names}
    return found


def test_files_have_at_most_400_lines() -> None:
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in modules("src", "tests", "benchmarks")}
    none_of([at(path, count) for path, count in lines.items() if count > 400])


def test_functions_have_at_most_40_lines_and_6_arguments() -> None:
    broken = []
    for path in modules("src", "tests", "benchmarks"):
        source = path.read_text(encoding="utf-8").splitlines()
        for node in ast.walk(tree(path)):
            if isinstance(node, FUNCTION):
                lines = (node.end_lineno or 0) - node.lineno + 1
                given = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                arguments = len([name for name in given if name not in ("self", "cls")])
                if lines > 40:
                    broken.append(at(path, node.lineno, f"{node.name}: {lines} lines"))
                excused = "tests" in path.parts or "noqa: PLR0913" in source[node.lineno - 1]
                if arguments > 6 and not excused:
                    broken.append(at(path, node.lineno, f"{node.name}: {arguments} arguments"))
    none_of(broken)


def test_names_are_words_of_the_domain() -> None:
    paths = [path.relative_to(ROOT) for path in modules("src", "tests", "benchmarks")]
    none_of([str(path) for path in paths if FORBIDDEN_NAMES & {*path.parts[:-1], path.stem}])


def test_modules_say_what_they_answer_and_what_they_do_not_know() -> None:
    documented = {path: (ast.get_docstring(tree(path)) or "").splitlines() for path in modules("src") if path.name != "__init__.py"}
    none_of([at(path, 1) for path, lines in documented.items() if sum(map(bool, lines)) < 2])


def test_only_the_warehouse_and_its_engines_execute_expressions() -> None:
    core = [path for path in modules("src") if within(path) not in EXECUTORS and not within(path).startswith("service/")]
    none_of([line for path in core for line in attributes(path, EXECUTES)])
    service = [path for path in modules("src/rekindle/service") if within(path) not in ASKS_THE_LEDGER]
    none_of([line for path in service for line in attributes(path, EXECUTES - {"backend", "con"})])


@pytest.mark.parametrize("folder", PURE)
def test_pure_packages_read_and_write_nothing(folder: str) -> None:
    """Data shipped in the package may be read, by `importlib.resources`."""
    broken = []
    for path in modules(f"src/rekindle/{folder}"):
        if within(path) in DOORS:
            continue
        names = imported(path)
        broken += [at(path, line, name) for name, line in names.items() if name.split(".")[0] in OUTSIDE]
        shipped = "importlib.resources.files" in names and "pathlib.Path" not in names
        forbidden = WRITING if shipped else READING | WRITING
        broken += [at(path, line, name) for name, line in called(path) if name == "open" or name[1:] in forbidden]
    none_of(broken)


def test_only_actions_open_a_transaction() -> None:
    elsewhere = [path for path in modules("src/rekindle/service", "src/rekindle/cli") if path.name != "actions.py"]
    none_of([line for path in elsewhere for line in attributes(path, {"atomic", "select_for_update"})])
    none_of([at(path, imported(path)[name]) for path in elsewhere for name in imported(path) if name.endswith(".atomic")])


def test_the_clock_is_not_read_by_a_model() -> None:
    automatic = {"auto_now", "auto_now_add"}
    calls = [(path, node) for path in modules("src") for node in ast.walk(tree(path)) if isinstance(node, ast.keyword)]
    none_of([at(path, node.value.lineno, node.arg) for path, node in calls if node.arg in automatic])


def test_an_exception_to_a_rule_says_why() -> None:
    broken = []
    for path in [*modules("src", "tests", "benchmarks")]:
        for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
            silenced = token.type == tokenize.COMMENT and re.search(r"noqa|type:\s*ignore|mypy:|ruff:", token.string)
            if silenced and not re.search(r"(noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*|type: ignore\[[\w, -]+\])[\s#]+\w+\W+\w+", token.string):
                broken.append(at(path, token.start[0], token.string))
    none_of(broken)


def test_nothing_is_left_for_later() -> None:
    unfinished = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|NotImplemented" r"Error)\b")
    files = [*modules("src", "tests", "benchmarks"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")]
    lines = ((path, number, line) for path in files for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1))
    none_of([at(path, number, line.strip()) for path, number, line in lines if unfinished.search(line)])


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-spark.lock"])
def test_a_lock_pins_every_package_by_hash_and_names_no_registry(name: str) -> None:
    lock = (ROOT / name).read_text(encoding="utf-8")
    packages = [block for block in re.split(r"\n(?=\S)", lock.strip()) if not block.startswith("#")]
    assert [block.splitlines()[0] for block in packages if "==" not in block or "--hash=sha256:" not in block] == []
    assert "://" not in lock


IMPORTING = '''
import importlib, os, sys

def asked_by_rekindle():
    """Whether the nearest caller outside the standard library is ours, and not by way of an import."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith("<frozen importlib") or "site-packages" in name:
            return False
        if f"{os.sep}rekindle{os.sep}" in name:
            return True
        frame = frame.f_back
    return False

class Watched(type(os.environ)):
    def __getitem__(self, key):
        if asked_by_rekindle():
            done.append(f"environment {key}")
        return super().__getitem__(key)

done = []
os.environ.__class__ = Watched
sys.addaudithook(lambda event, args: done.append(f"{event} {args[:2]}") if event in EVENTS and asked_by_rekindle() else None)
EVENTS = {"open", "os.mkdir", "os.listdir", "os.scandir", "socket.connect", "sqlite3.connect", "subprocess.Popen"}
for name in sys.argv[1:]:
    importlib.import_module(name)
print([name for name in ("django", "pandas") if name in sys.modules], done, sep="\\n")
'''


def test_importing_the_core_imports_no_django_and_does_nothing(tmp_path: Path) -> None:
    core = [path for path in modules("src") if not within(path).startswith("service/") and path.stem != "__main__"]
    names = [".".join(("rekindle", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__") for path in core]
    command = [sys.executable, "-W", "error", "-c", IMPORTING, *names]
    environment = {"PYTHONPATH": str(SOURCE.parent), "PATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    printed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (printed.stdout, printed.stderr) == ("[]\n[]\n", "")
    assert list(tmp_path.iterdir()) == []
