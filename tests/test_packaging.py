"""The repository keeps its shape: what stands where, what imports what, what happens beside HIPS/autograd."""

import ast
import doctest
import importlib
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

# what each package may import beside itself and the standard library: imports go down only
IMPORTS = {
    "autograd": {"numpy"},
    "nn": {"numpy", "autograd", "safetensors"},
    "viz": {"numpy", "autograd", "graphviz", "pygraphviz", "matplotlib"},
    "demos": {"numpy", "autograd", "nn", "viz", "matplotlib", "tqdm"},
}
FILES = [path for package in IMPORTS for path in sorted((ROOT / package).rglob("*.py"))]
PUBLIC = [path.parent for path in FILES if path.name == "__init__.py" and path.parts[-2] not in ("core", "demos")]


def named(path):
    """A path as the repository names it, with forward slashes: the name of a test case."""
    return path.relative_to(ROOT).as_posix()


def committed():
    """Every file that git knows; where there is no repository, or nothing is committed yet, the test is skipped."""
    git = shutil.which("git")
    listing = git and subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8").stdout
    return [ROOT / name for name in listing.split("\0") if name] if listing else pytest.skip("not a git checkout")


def imports(path):
    """What a file imports, inside its functions too, as (line, module, name); relative ones are its package's."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module if node.level == 0 else path.relative_to(ROOT).parts[0]
            yield from ((node.lineno, module, alias.name) for alias in node.names)


def blocks(language):
    """The README's fenced blocks in one language, as pairs: the line where it starts, its text."""
    fences = re.finditer(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    return [(README.count("\n", 0, fence.start(1)), fence[1]) for fence in fences]


def python(*arguments, executable=sys.executable, check=True):
    """What a fresh Python, which ignores the current folder and the environment, prints and leaves as its exit code."""
    return subprocess.run([executable, "-I", *map(str, arguments)], capture_output=True, encoding="utf-8", check=check)


def importing(*folders, name="autograd"):
    """A fresh Python's answer to an import, with these folders first on its path."""
    code = f"import sys; sys.path[:0] = {[str(folder) for folder in folders]}; import {name}; print({name}.__file__)"
    return python("-c", code, check=False)


# ---------------------------------------------------------------- the tree


def test_the_root_holds_what_the_design_names_and_nothing_else():
    root = {path.relative_to(ROOT).parts[0] for path in committed()}
    assert {name for name in root if not name.startswith(".")} == {
        "pyproject.toml", "README.md", "LICENSE", "autograd", "nn", "viz", "demos", "tests",
    }  # fmt: skip


def test_no_file_names_a_path_of_one_machine():
    machine = re.compile(r"(?<![\w.])/(home|Users|root|tmp|work|farm|opt)/\w|[A-Z]:\\Users")
    texts = {named(path): path.read_bytes().decode("utf-8", "ignore") for path in committed()}
    assert [name for name, text in texts.items() if machine.search(text)] == []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_imports_go_down_only(path):
    own = path.relative_to(ROOT).parts[0]
    for line, module, _ in imports(path):
        allowed = {own} | IMPORTS[own] | sys.stdlib_module_names
        assert module.split(".")[0] in allowed, f"{named(path)}, line {line}: {own} must not import {module}"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_another_package_is_known_by_its_public_names_alone(path):
    own = path.relative_to(ROOT).parts[0]
    for line, module, name in imports(path):
        private = [part for part in [*module.split("."), name] if part.startswith("_") and part != "__future__"]
        assert module.split(".")[0] == own or not private, f"{named(path)}, line {line}: {private} belongs to {module}"


def test_importing_the_packages_loads_numpy_and_nothing_else():
    code = f"""
import sys, numpy.random
sys.path.insert(0, {str(ROOT)!r})
before = set(sys.modules)
import autograd, nn, viz
print(*sorted({{name.split(".")[0] for name in set(sys.modules) - before}} - sys.stdlib_module_names - {{"numpy"}}))
"""
    assert python("-c", code).stdout.split() == ["autograd", "nn", "viz"]


@pytest.mark.parametrize("folder", PUBLIC, ids=named)
def test_all_lists_exactly_the_public_names(folder):
    package = importlib.import_module(named(folder).replace("/", "."))
    listed = package.__all__
    assert len(listed) == len(set(listed))
    assert [name for name in listed if not hasattr(package, name)] == []
    made_when_asked_for = {name for name in listed if name not in vars(package)}
    modules = {name for name in listed if isinstance(getattr(package, name), ModuleType)}
    public = {name for name, value in vars(package).items() if name[0] != "_" and not isinstance(value, ModuleType)}
    assert public | made_when_asked_for == set(listed) - modules


@pytest.mark.parametrize("path", [path for path in FILES if path.parts[-2] in ("autograd", "nn", "optim")], ids=named)
def test_a_module_has_the_names_that_it_lists(path):
    module = importlib.import_module(named(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    assert [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)] == []


# ---------------------------------------------------------------- the distribution and the README


def project():
    """The [project] table of pyproject.toml."""
    tomllib = pytest.importorskip("tomllib", reason="tomllib came with Python 3.11")
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_running_needs_numpy_and_graphviz_alone():
    assert project()["dependencies"] == ["numpy>=2.0", "graphviz"]


def test_the_extra_all_is_every_extra_but_the_oracle():
    extras = project()["optional-dependencies"]
    assert extras["all"] == [f"glassgrad[{','.join(name for name in extras if name not in ('all', 'oracle'))}]"]


@pytest.mark.parametrize("shell", ["sh", "powershell"])
def test_the_quick_start_is_two_commands_of_one_line(shell):
    first, second = (text for _, text in blocks(shell))
    assert first.count("\n") == second.count("\n") == 1
    assert "python -m demos.xor" in first
    assert "python -m pytest" in second


def test_the_examples_of_the_readme_run_as_one_session(capsys):
    session = {}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for line, text in blocks("python"):
        if ">>>" in text:
            example = doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", line)
            example.globs = session
            failed = runner.run(example, clear_globs=False).failed
            assert not failed, capsys.readouterr().out
        else:
            exec(compile("\n" * line + text, "README.md", "exec"), session)


# ---------------------------------------------------------------- HIPS/autograd, which is imported as `autograd` too

HIPS = {
    "__init__.py": "from autograd.core import primitive_with_deprecation_warnings as primitive\n",
    "core.py": "from .tracer import primitive as primitive_with_deprecation_warnings\n",
    "tracer.py": "def primitive(function):\n    return function\n",
}
REMEDY = "python -m pip uninstall -y autograd glassgrad"


def lay_hips(folder):
    """HIPS/autograd's files, or those of them that meet ours, laid into a folder as pip lays them."""
    for name, text in HIPS.items():
        (folder / "autograd").mkdir(parents=True, exist_ok=True)
        (folder / "autograd" / name).write_text(text, encoding="utf-8")


def lay_ours(folder):
    """Our autograd, laid into a folder as pip lays it."""
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "autograd", folder / "autograd", dirs_exist_ok=True, ignore=unwanted)


@pytest.mark.parametrize("lay", [lay_hips, lay_ours])
def test_either_autograd_alone_is_imported(lay, tmp_path):
    lay(tmp_path)
    assert importing(tmp_path).stdout.strip() == str(tmp_path / "autograd" / "__init__.py")


@pytest.mark.parametrize("order", [(lay_hips, lay_ours), (lay_ours, lay_hips)], ids=["ours last", "HIPS last"])
def test_both_in_one_folder_are_refused_with_the_remedy(order, tmp_path):
    for lay in order:
        lay(tmp_path)
    refusal = importing(tmp_path)
    assert refusal.returncode == 1
    assert f"ImportError: glassgrad and HIPS/autograd are mixed in {tmp_path / 'autograd'}" in refusal.stderr
    assert REMEDY in refusal.stderr


def test_the_checkout_works_although_hips_autograd_is_installed(tmp_path):
    lay_hips(tmp_path)
    assert importing(ROOT, tmp_path).stdout.strip() == str(ROOT / "autograd" / "__init__.py")


def test_the_guard_says_nothing_when_all_is_well():
    assert importing(ROOT, name="autograd.core").returncode == 0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """glassgrad as pip builds it, from a copy, for building leaves files behind."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for package in IMPORTS:
        shutil.copytree(ROOT / package, source / package)
    python("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", built, source)
    return next(built.glob("glassgrad-*.whl"))


@pytest.mark.network
def test_the_wheel_holds_the_four_packages_and_nothing_else(wheel):
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    page = [path for ending in ("css", "html", "js") for path in (ROOT / "viz").glob(f"*.{ending}")]
    typed = {f"{package}/py.typed" for package in ("autograd", "nn", "viz")}
    expected = {named(path) for path in [*FILES, *page]} | typed
    assert {name for name in names if not name.startswith("demos/data/")} == expected


@pytest.mark.network
@pytest.mark.parametrize("last", ["glassgrad", "HIPS"])
def test_both_really_installed_are_refused_and_the_remedy_works(last, wheel, tmp_path):
    venv.create(tmp_path, with_pip=True, symlinks=os.name != "nt")
    inner = tmp_path / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def pip(*arguments):
        python("-m", "pip", "--quiet", "--disable-pip-version-check", *arguments, executable=inner)

    for distribution in ("autograd", wheel) if last == "glassgrad" else (wheel, "autograd"):
        pip("install", distribution)
    refusal = python("-c", "import autograd", executable=inner, check=False)
    assert refusal.returncode == 1
    assert REMEDY in refusal.stderr

    pip(*REMEDY.split()[3:])
    assert not any(tmp_path.rglob("site-packages/autograd"))
    pip("install", wheel)
    python("-c", "import autograd, nn, viz; autograd.Tensor(1.0)", executable=inner)
