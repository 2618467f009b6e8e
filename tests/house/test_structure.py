"""Rules of the house about the structure of the code, as tests."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "sievemda"
FILES = sorted(PACKAGE.rglob("*.py"))

# Which parts a part may import, beside itself; errors, given, config and configload are leaves that the rest may use.
LAYERS = {
    "mail": set(),
    "sieve": {"mail"},
    "policy": {"mail"},
    "store": {"mail", "policy"},
    "state": {"mail"},
    "auth": {"mail", "state"},
    "scripts": {"mail", "store", "state"},
    "delivery": {"mail", "sieve", "policy", "store", "state", "scripts"},
    "tls": set(),
    "lmtp": {"mail", "auth", "tls", "delivery"},
    "managesieve": {"mail", "auth", "tls", "sieve", "store", "state", "scripts"},
    "lsp": {"mail", "sieve"},
    "upkeep": {"mail", "sieve", "policy", "store", "state", "scripts", "delivery", "lmtp", "managesieve"},
    "serve": {"assembly", "auth", "lmtp", "managesieve"},
    "cli": None,  # may use everything
}
CLIENTS = {"lmtp.client", "managesieve.client"}  # what `upkeep` may use of the two edges
PURE = {"mail", "sieve"}  # get values passed, never the settings


def part_of(file: Path) -> str:
    relative = file.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else ""


def imports_of(file: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: relative import"
            found.append(node.module)
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in found if name.startswith("sievemda.")]


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_imports_point_one_way(file):
    part = part_of(file)
    allowed = LAYERS.get(part)
    if allowed is None:
        return
    for name in imports_of(file):
        target = name.split(".")[1]
        if target in {part, "errors", "logs", "given", "rulefile"} or target in allowed:
            continue
        assert target in {"config", "configload", "__version__"}, f"{part} must not import {name}"
        assert part not in PURE or target == "__version__", f"{part} gets values, it does not read {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_upkeep_is_a_client_of_the_servers_and_no_more(file):
    if part_of(file) != "upkeep":
        return
    edges = [name for name in imports_of(file) if name.split(".")[1] in {"lmtp", "managesieve"}]
    assert [name for name in edges if ".".join(name.split(".")[1:3]) not in CLIENTS] == []


def test_every_part_has_its_layer():
    parts = {part_of(file) for file in FILES} - {""}
    assert parts <= set(LAYERS)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_asynchronous_code_stays_at_the_edge(file):
    if part_of(file) in {"lmtp", "managesieve", "lsp", "serve"} or file.name == "assembly.py":
        return
    for node in ast.walk(ast.parse(file.read_text())):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"{file}:{node.lineno}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_sql_stands_in_one_place(file):
    if part_of(file) == "state":
        return
    text = file.read_text()
    assert not re.search(r"\b(SELECT .* FROM|INSERT INTO|DELETE FROM|CREATE TABLE|UPDATE \w+ SET)\b", text)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_files_and_functions_are_small(file):
    text = file.read_text()
    assert len(text.splitlines()) <= 400, f"{file} would be clearer as two rooms"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno
            assert length <= 60, f"{file}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_every_module_says_what_it_is(file):
    assert ast.get_docstring(ast.parse(file.read_text())), f"{file} has no docstring"


def test_modules_do_not_import_in_circles():
    graph = {}
    for file in FILES:
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = set(toplevel_imports(file))
    done, path = set(), []

    def walk(name):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name in done or name not in graph:
            return
        path.append(name)
        for target in graph[name]:
            walk(target)
        path.pop()
        done.add(name)

    for name in graph:
        walk(name)


def toplevel_imports(file: Path) -> set[str]:
    found = set()
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                file_of = PACKAGE.parent / (whole.replace(".", "/") + ".py")
                directory = PACKAGE.parent / whole.replace(".", "/")
                found.add(whole if file_of.exists() or directory.is_dir() else node.module)
    return {name for name in found if name.startswith("sievemda")}


def test_citations_have_one_form():
    for file in FILES:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            assert not re.search(r"RFC(?!822Name)\d|RFC \d+ (sec|section|s\.)", line), (
                f"{file}:{number}: write RFC 5228 §2.7.1"
            )


# Who may have a store of scripts in hand: to read them, or in a home in which there is nobody yet. All others change them
# by a keeper, who notes it.
SCRIPT_STORES = {
    "cli/mailbox_info.py",
    "cli/why.py",
    "delivery/autocreate.py",
    "delivery/scripts.py",
    "scripts/opening.py",
    "store/accounts.py",
    "upkeep/backup/describing.py",
    "upkeep/reconstruct/user_scripts.py",
}


def test_scripts_are_changed_by_keepers_alone():
    found = {str(file.relative_to(PACKAGE)) for file in FILES if re.search(r"\bScriptStore\(", file.read_text())}
    assert found == SCRIPT_STORES


def test_nothing_is_left_unfinished():
    for file in [*FILES, *(ROOT / "grammar").rglob("*"), *(ROOT / "conf").rglob("*")]:
        if file.is_file():
            assert not re.search(r"\b(TODO|FIXME|XXX)\b|NotImplementedError", file.read_text()), file
