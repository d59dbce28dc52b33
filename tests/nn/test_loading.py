"""Whatever a file holds, loading it raises CheckpointError and changes nothing, or loads it whole.

Memory stays bounded by the file, whatever its headers claim, and nothing in it is ever run. `--campaign 20` tries
10,000 damaged files.
"""

import json
import os
import pickle
import random
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

import nn
from nn import CheckpointError, load, optim, save, saving

FILES = 25  # for each seed
MEMORY = 8 << 20  # bytes that loading a small file may take, which itself has about 10 kB
HUGE = [-1, 0, 1, 1 << 31, 1 << 32, 1 << 40, (1 << 62) + 1, 1 << 63, 1 << 64, 10**30]


def training(seed):
    """One object of each kind that `load` fills, in the midst of training."""
    nn.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4))
    optimizer = optim.Adam(model.parameters())
    schedulers = [optim.lr_scheduler.OneCycleLR(optimizer, 1.0, 9), optim.lr_scheduler.StepLR(optimizer, 2)]
    scheduler = optim.lr_scheduler.SequentialLR(optimizer, schedulers, [3 + seed])
    stopping = nn.EarlyStopping(model)
    for p in model.parameters():
        p.grad = np.full(p.shape, 0.5)
    optimizer.step()
    scheduler.step()
    stopping.step(1.0 + seed)
    chance = {kind: np.random.Generator(getattr(np.random, kind)(seed)) for kind in ("PCG64", "MT19937")}
    return dict(model=model, optimizer=optimizer, scheduler=scheduler, stopping=stopping, **chance)


def states(objects):
    return {name: saving.state_of(thing) for name, thing in objects.items()}


def fingerprint(objects):
    """A checksum of all that there is to remember of objects; the order of the names in a dict says nothing."""
    arrays = {}
    text = json.dumps(saving.packed(in_order(states(objects)), "all", arrays))
    return saving.checksum(text, arrays)


def in_order(value):
    """value, with the names in every dict sorted."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    return [in_order(each) for each in value] if isinstance(value, (list, tuple)) else value


@pytest.fixture(params=["npz", "safetensors"])
def path(request, tmp_path):
    """Of a whole file, to be damaged."""
    if request.param == "safetensors":
        pytest.importorskip("safetensors")
    path = tmp_path / f"run.{request.param}"
    save(path, **training(1))
    return path


# ---- damage: functions that rewrite a file --------------------------------------------------------------------------


def flip_bits(path, rng):
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 1, 2, 8])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def cut(path, rng):
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content))])


def put_random_bytes(path, rng):
    """Instead of everything, of all but the beginning or the end, or of a block; or a block where another was."""
    content = path.read_bytes()
    i, j, k = (rng.randrange(len(content)) for _ in range(3))
    noise = rng.randbytes(rng.choice([1, 8, 100, 5000]))
    path.write_bytes(
        rng.choice([noise, content[:i] + noise, noise + content[i:], content[:i] + noise + content[j:],
                    content[:i] + content[j:k] + content[i:]])
    )  # fmt: skip


def claim(path, rng):
    """Give the header of one array, or of the file, numbers to claim that are not so."""
    shape = [rng.choice(HUGE) for _ in range(rng.randrange(4))]
    if path.suffix == ".safetensors":
        content = path.read_bytes()
        length = struct.unpack("<Q", content[:8])[0]
        header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
        array = header[rng.choice([name for name in header if name != "__metadata__"])]
        array.update(
            rng.choice(
                [
                    {"shape": shape},
                    {"dtype": rng.choice(["F16", "BF16", "F8_E4M3", "C64", "X"])},
                    {"data_offsets": shape[:2]},
                    {"shape": shape, "data_offsets": [0, len(data)]},
                ]
            )
        )
        text = json.dumps(header).encode()
        length = rng.choice([len(text), len(text), len(text), *HUGE[1:-2]])
        path.write_bytes(struct.pack("<Q", length) + text + data)
        return
    dtype = rng.choice(["<f8", "<f8", "<f8", "|O", "|V0", "|V2147483647", "<U500000000", "<M8[s]", "<c16", "x",
                        [("a", "<f8", (1 << 20,))]])  # fmt: skip
    text = repr({"descr": dtype, "fortran_order": rng.random() < 0.5, "shape": tuple(shape)}).encode("latin1")
    version = rng.choice([(1, 0), (1, 0), (2, 0), (3, 0), (9, 9)])
    size = struct.pack("<H" if version[0] == 1 else "<I", rng.choice([len(text)] * 4 + [0, 65535]))
    rewrite_member(path, rng, bytes([*b"\x93NUMPY", *version]) + size + text)
    if rng.random() < 0.3:  # the zip's directory too: at these places it has the method, the two lengths, the offset
        content = bytearray(path.read_bytes())
        entries = [i for i in range(len(content)) if content.startswith(b"PK\x01\x02", i)]
        place = rng.choice(entries) + rng.choice([10, 20, 24, 42])
        struct.pack_into("<I", content, place, rng.choice([0, 8, 12, 14, 1000, 1 << 31, (1 << 32) - 1]))
        path.write_bytes(content)


def rewrite_member(path, rng, header):
    """Put a header on one of the arrays in an .npz file instead of its own."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(members))
    members[name] = header + members[name][128:]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def forge(path, rng):
    """Change something in the JSON and give the file a checksum that is right."""
    write, read = saving.file_format(path)
    arrays, header = read(path)
    tree = json.loads(header.partition(" ")[2])
    for _ in range(rng.choice([1, 1, 3])):
        holder, key = rng.choice(list(places(tree)))
        if rng.random() < 0.2:
            del holder[key]
        else:
            holder[key] = rng.choice([*HUGE, 0.5, float("nan"), "", "x", None, True, [], {}, {"array": "x"},
                                      {"dict": [[0]]}, {"array": rng.choice(list(arrays))}, [[[]]]])  # fmt: skip
    text = json.dumps(tree)
    write(path, arrays, f"{saving.checksum(text, arrays)} {text}")


def places(tree):
    """Everything in nested dicts and lists, as what holds it and under which key."""
    for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(value, (dict, list)):
            yield from places(value)


@pytest.mark.campaign(2)
@pytest.mark.parametrize("damage", [flip_bits, cut, put_random_bytes, claim, forge])
def test_a_damaged_file_is_refused_or_loaded_whole_in_bounded_memory(path, damage, seed):
    rng, objects, whole = random.Random(f"{damage.__name__} {seed}"), training(2), path.read_bytes()
    before, saved, states_before = fingerprint(objects), fingerprint(training(1)), states(objects)
    load(path)  # which imports what it takes
    for _ in range(FILES):
        path.write_bytes(whole)
        damage(path, rng)
        if damage is claim:
            tracemalloc.start()  # which makes everything slow
        try:
            loaded = load(path, **objects)
        except CheckpointError:
            assert fingerprint(objects) == before
        else:
            if damage is forge:  # then that is what was saved
                np.testing.assert_equal(objects["model"].state_dict(), loaded["model"])
                assert [generator.random() for generator in objects.values() if hasattr(generator, "random")]
            else:  # the damage is where nothing is, such as in a zip's dates
                assert fingerprint(objects) == saved
            for name, state in states_before.items():
                saving.put(objects[name], state)
        finally:
            peak = tracemalloc.get_traced_memory()[1]  # or 0
            tracemalloc.stop()
        assert peak < MEMORY


# ---- files made to do harm ------------------------------------------------------------------------------------------


class Trap:
    """What makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def pickles(folder, trap):
    """Files with a pickle in them, under both of our names."""
    pickled = pickle.dumps(trap)
    for suffix in (".npz", ".safetensors"):
        (folder / f"pickle{suffix}").write_bytes(pickled)
        with zipfile.ZipFile(folder / f"pytorch{suffix}", "w") as archive:  # torch.save's layout
            archive.writestr("archive/data.pkl", pickled)
            archive.writestr("archive/data/0", bytes(8))
            archive.writestr("archive/version", b"3\n")
    np.savez(folder / "objects.npz", w=np.array([trap], dtype=object))
    np.savez(folder / "header.npz", **{saving.HEADER: np.array([trap], dtype=object)})
    with zipfile.ZipFile(folder / "bare.npz", "w") as archive:
        archive.writestr("w.npy", pickled)


def bombs(folder):
    """Small files that would become large in memory."""
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2):
        path = folder / f"compressed{method}.npz"
        with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
            archive.writestr("w.npy", bytes(32 << 20))
        content = bytearray(path.read_bytes())
        directory = content.rfind(b"PK\x01\x02")
        struct.pack_into("<I", content, directory + 24, 100)  # and would not be long when it is no longer compressed
        path.write_bytes(content)
    shapes = [(1 << 27,), (1 << 30,), (1 << 40,), (1 << 20, 1 << 20), (0, 1 << 62), "(" * 9000]
    for i, shape in enumerate(shapes):
        with zipfile.ZipFile(folder / f"claims{i}.npz", "w") as archive:
            text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".encode()
            archive.writestr("w.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + bytes(64))
    for length in (1 << 27, 1 << 40, (1 << 64) - 1):
        (folder / f"claims{length}.safetensors").write_bytes(struct.pack("<Q", length) + b"{" + bytes(64))
    for size in (1 << 27, 1 << 40, 1 << 60):
        text = json.dumps({"w": {"dtype": "F64", "shape": [size], "data_offsets": [0, 8 * size]}}).encode()
        (folder / f"array{size}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(64))
    for suffix, (write, _) in saving.formats.items():
        text = "[" * 100_000
        write(folder / f"deep{suffix}", {}, f"{saving.checksum(text, {})} {text}")


# loads all files in a folder, forbidden to run code; prints the names of those that were not refused, and the memory
CHILD = """
import sys, tracemalloc
from pathlib import Path
import nn

def most_resident():  # bytes, where there is a /proc to ask
    status = Path("/proc/self/status")
    return 1024 * int(status.read_text().partition("VmHWM:")[2].split()[0]) if status.exists() else 0

def forbid(event, arguments):
    if event in ("pickle.find_class", "os.system", "os.mkdir", "subprocess.Popen", "os.posix_spawn") or (
        event == "exec" and arguments[0].co_filename.startswith("<")  # not a module that is imported
    ):
        print(event, arguments, flush=True)

*files, good = sorted(Path(sys.argv[1]).iterdir())
nn.load(good)  # which imports what it takes
sys.addaudithook(forbid)
tracemalloc.start()
before = most_resident()
for path in files:
    try:
        nn.load(path)
        print(path.name, "was loaded")
    except nn.CheckpointError:
        pass
print(len(files), tracemalloc.get_traced_memory()[1], most_resident() - before)
"""


def test_files_made_to_do_harm_are_refused_in_bounded_memory_and_nothing_in_them_runs(tmp_path):
    pytest.importorskip("safetensors")
    ran, folder = tmp_path / "ran", tmp_path / "files"
    folder.mkdir()
    save(folder / "zzz.npz", **training(1))
    pickles(folder, Trap(ran))
    bombs(folder)
    child = subprocess.run([sys.executable, "-c", CHILD, folder], capture_output=True, encoding="utf-8", check=True)
    assert not ran.exists()
    files, traced, resident = map(int, child.stdout.split())
    assert files == len(list(folder.iterdir())) - 1
    assert traced < MEMORY
    assert resident < 2 * MEMORY
    pickle.loads(pickle.dumps(Trap(ran)))
    assert ran.exists(), "the trap does not work"


def test_pytorchs_pickles_are_refused_and_under_their_own_names_with_the_remedy(tmp_path):
    torch = pytest.importorskip("torch")
    for zipped in (True, False):
        path = tmp_path / "model.pt"
        torch.save(torch.nn.Linear(2, 1).state_dict(), path, _use_new_zipfile_serialization=zipped)
        with pytest.raises(ValueError, match=r"pickles; there, safetensors\.torch\.save_file"):
            load(path)
        for suffix in saving.formats:
            shutil.copy(path, path.with_suffix(suffix))
            with pytest.raises(CheckpointError):
                load(path.with_suffix(suffix))


@pytest.mark.parametrize("position", [-1, 625, 10**9])
@pytest.mark.parametrize("kind", ["MT19937", "Philox"])
def test_a_generator_never_draws_from_beyond_its_buffer(tmp_path, kind, position):
    path, generator = tmp_path / "run.npz", np.random.Generator(getattr(np.random, kind)(0))
    state = generator.bit_generator.state
    (state["state"] if kind == "MT19937" else state)["pos" if kind == "MT19937" else "buffer_pos"] = position
    save(path, generator=state)
    with pytest.raises(CheckpointError, match=f"stands at {position} in a buffer of"):
        load(path, generator=generator)  # NumPy takes it, and crashes at the next number
    assert generator.random() == np.random.Generator(getattr(np.random, kind)(0)).random()


def test_ctrl_c_while_loading_leaves_nothing_half_loaded(tmp_path):
    class Interrupted(nn.Linear):
        def load_state_dict(self, state):
            super().load_state_dict(state)
            if state["weight"][0, 0] == 1:
                raise KeyboardInterrupt

    path, ones, objects = tmp_path / "run.npz", nn.Linear(2, 2), dict(first=nn.Linear(2, 2), second=Interrupted(2, 2))
    nn.init.ones_(ones.weight)
    save(path, first=ones, second=ones)
    before = fingerprint(objects)
    with pytest.raises(KeyboardInterrupt):
        load(path, **objects)
    assert fingerprint(objects) == before
