"""Saving what was learned, and going on from there: arrays by name and a little JSON, never pickle.

    nn.save("xor.safetensors", model=model)                        # a file that PyTorch users can load too
    nn.save("run.npz", model=model, optimizer=optimizer, scheduler=scheduler, generator=rng, epoch=7)
    epoch = nn.load("run.npz", model=model, optimizer=optimizer, scheduler=scheduler, generator=rng)["epoch"]

The arrays of `model` have their names in its state_dict; all others begin with the name they were saved under and "/".
"""

from __future__ import annotations

import itertools
import json
import math
import os
import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from autograd.advice import a

__all__ = ["CheckpointError", "load", "save"]

Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]
HEADER = "glassgrad"  # the name of the JSON in the file
RESERVED = HEADER, "__metadata__"  # names that files of one format or the other have for something else
saves = itertools.count()  # no two share an unfinished file: not those of two threads, nor of a signal's handler in one


class CheckpointError(ValueError):
    """A file that is damaged, or is not a checkpoint, or does not fit what it is loaded into. Nothing was changed."""


def save(path: str | os.PathLike[str], *unnamed: Any, **states: Any) -> None:
    """Write states to a file: `.safetensors`, which takes the safetensors package, or `.npz`.

    states   whatever has a state_dict(); NumPy Generators; arrays, numbers, strings, and lists and dicts of them

    The file is written beside its place and then renamed, so that if anything fails, what was there before still is.
    """
    if unnamed or not isinstance(path, (str, os.PathLike)):
        raise TypeError(
            'save() takes the path first, then what to save by its name: nn.save("model.npz", model=model).'
        )
    file = Path(os.path.realpath(path))
    write = file_format(file)[0]
    if not file.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(file.parent)!r} to save {file.name!r} in; make it first.")
    arrays: Arrays = {}
    tree = {}
    for name, thing in states.items():
        tree[name] = packed(state_of(thing), "" if name == "model" else name, arrays)
    text = json.dumps(tree)
    header = f"{checksum(text, arrays)} {text}"
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.{next(saves)}.tmp")
    try:
        write(unfinished, arrays, header)
        with open(unfinished, "rb+") as stream:
            os.fsync(stream.fileno())  # on the disk before it gets its name
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)


def load(path: str | os.PathLike[str], **objects: Any) -> dict[str, Any]:
    """Read a file that `save` wrote and put each object back into the state saved under its name; return all states.

    A safetensors file from elsewhere, such as PyTorch's `safetensors.torch.save_file(model.state_dict(), path)`, is
    understood as that of one model. An error changes none of the objects.
    """
    file = Path(path)
    read = file_format(file)[1]
    for name, thing in objects.items():
        if not hasattr(thing, "load_state_dict") and not isinstance(thing, np.random.Generator):
            raise TypeError(f"load({name}=) cannot change a {type(thing).__name__}; take load(path)[{name!r}] instead.")
    with open(file, "rb"):
        pass  # a file that is missing or forbidden says so by itself; whatever goes wrong from here on is in the file
    try:
        arrays, header = read(file)
        states: dict[str, Any] = {"model": arrays}
        if header is not None:
            expected, _, text = header.partition(" ")
            if checksum(text, arrays) != expected:
                raise ValueError("its contents have changed since they were written")
            states = {name: unpacked(state, arrays) for name, state in json.loads(text).items()}
    except ImportError:
        raise
    except Exception as error:
        raise CheckpointError(f"{file} is damaged, or is not a checkpoint: {error}") from error
    absent = [name for name in objects if name not in states]
    if absent:
        raise CheckpointError(f"{file} has no {' and no '.join(absent)}, only {', '.join(states) or 'nothing'}.")
    before = {name: state_of(thing) for name, thing in objects.items()}
    name = ""
    try:
        for name, thing in objects.items():
            put(thing, states[name])
    except BaseException as error:  # Ctrl-C too
        for name_before, state in before.items():
            put(objects[name_before], state)
        if not isinstance(error, Exception):
            raise
        raise CheckpointError(f"{file}: its {name} does not fit this one; nothing was loaded. {error}") from error
    return states


# ---- objects <-> states ---------------------------------------------------------------------------------------------


def state_of(thing: Any) -> Any:
    """What there is to remember of thing."""
    if hasattr(thing, "state_dict"):
        return thing.state_dict()
    return thing.bit_generator.state if isinstance(thing, np.random.Generator) else thing


def put(thing: Any, state: Any) -> None:
    """The opposite: bring thing into that state."""
    if hasattr(thing, "load_state_dict"):
        thing.load_state_dict(state)
    else:
        check_position(state)
        thing.bit_generator.state = state


def check_position(state: Any) -> None:
    """Refuse the state of a generator that would draw from beyond its buffer: NumPy would read whatever lies there."""
    if state["bit_generator"] == "MT19937":
        position, length = state["state"]["pos"], 624
    elif state["bit_generator"] == "Philox":
        position, length = state["buffer_pos"], 4
    else:
        return  # the others have no buffer
    if not 0 <= position <= length:
        raise ValueError(f"It stands at {position} in a buffer of {length}.")


# ---- states <-> JSON and arrays -------------------------------------------------------------------------------------


def packed(value: Any, name: str, arrays: Arrays) -> Any:
    """value as JSON, in which an array is its name; the arrays themselves are added to `arrays`."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        if name in arrays:
            raise ValueError(f"Two arrays to save are both called {name!r}; save one of them under another name.")
        if name in RESERVED or "\0" in name:
            raise ValueError(f"An array cannot be called {name!r} in a file; save it under another name.")
        arrays[name] = np.asarray(value, value.dtype.newbyteorder("="), order="C")
        return {"array": name}
    if isinstance(value, dict):  # as pairs, because keys may be ints
        return {"dict": [[plain(k, f"a key of {name or 'model'}"), packed(v, f"{name}/{k}" if name else str(k), arrays)]
                         for k, v in value.items()]}  # fmt: skip
    if isinstance(value, (list, tuple)):
        return [packed(v, f"{name}/{i}", arrays) for i, v in enumerate(value)]
    return plain(value, name)


def plain(value: Any, name: str) -> Any:
    """value as a number, a string or None, which JSON has."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (int, float, str, type(None))):
        return value
    kind = "an array of objects" if isinstance(value, np.ndarray) else a(value)
    raise TypeError(
        f"save() writes arrays, numbers and strings, what has a state_dict(), and Generators, but {name} is {kind}."
    )


def unpacked(value: Any, arrays: Arrays) -> Any:
    """The opposite, except that tuples have become lists."""
    if isinstance(value, list):
        return [unpacked(v, arrays) for v in value]
    if isinstance(value, dict):
        return arrays[value["array"]] if "array" in value else {k: unpacked(v, arrays) for k, v in value["dict"]}
    return value


def checksum(text: str, arrays: Arrays) -> str:
    """A CRC-32 of a text and of all arrays, with their names, dtypes and shapes."""
    crc = zlib.crc32(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        crc = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), crc)
        crc = zlib.crc32(np.ravel(array).view(np.uint8).data, crc)
    return f"{crc:08x}"


# ---- arrays <-> files -----------------------------------------------------------------------------------------------


def file_format(file: Path) -> tuple[Any, Any]:
    """The functions that write and read files with this ending."""
    if file.suffix not in formats:
        remedy = ""
        if file.suffix in (".pt", ".pth"):
            remedy = (
                " PyTorch's own files are pickles; there, safetensors.torch.save_file(model.state_dict(), "
                '"model.safetensors") writes one that both can load.'
            )
        raise ValueError(f"A checkpoint is a .safetensors or an .npz file; {file.name!r} ends in neither.{remedy}")
    return formats[file.suffix]


def write_npz(file: Path, arrays: Arrays, header: str) -> None:
    import zipfile  # slow to import, and seldom needed

    with zipfile.ZipFile(file, "w") as archive:  # np.savez would take an array called "file" for its own argument
        for name, array in {HEADER: np.frombuffer(header.encode(), np.uint8), **arrays}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def read_npz(file: Path) -> tuple[Arrays, str | None]:
    """The arrays in a file, and the header if it is ours. A small file cannot fill the memory."""
    import zipfile

    arrays: Arrays = {}
    with parsing, open(file, "rb") as whole, zipfile.ZipFile(whole) as archive:  # another may get its name meanwhile
        members = archive.infolist()
        compressed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
        if compressed or sum(member.file_size for member in members) > os.fstat(whole.fileno()).st_size:
            raise ValueError("its arrays are compressed, or it claims to be longer than it is")
        for member in members:
            with archive.open(member) as stream:
                if claimed(stream) > member.file_size:
                    raise ValueError(f"{member.filename} claims to be longer than it is")
                stream.seek(0)
                arrays[member.filename.removesuffix(".npy")] = np.lib.format.read_array(stream, allow_pickle=False)
    header = arrays.pop(HEADER, None)
    return arrays, None if header is None else header.tobytes().decode()


# NumPy reads headers by Python's own parser. In 3.11 that fails with two threads in it, as may be where garbage is
# collected: "AST constructor recursion depth mismatch" (CPython's issue 106905).
parsing = threading.RLock()


def claimed(stream: Any) -> int:
    """How many bytes an array takes by its header in a .npy file, which NumPy would allocate before reading them."""
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stream)  # 3.0 differs from 2.0 in the letters that a field's name may have
    return math.prod(shape) * dtype.itemsize


def safetensors() -> Any:
    """The safetensors package."""
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            "A .safetensors file takes the safetensors package: pip install safetensors. Or let the name end in .npz."
        ) from None
    return safetensors


def write_safetensors(file: Path, arrays: Arrays, header: str) -> None:
    safetensors().numpy.save_file(arrays, file, {HEADER: header})


def read_safetensors(file: Path) -> tuple[Arrays, str | None]:
    """The arrays in a file, and the header if it is ours."""
    with safetensors().safe_open(file, framework="numpy") as stream:
        arrays = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118  # it is not a dict
        return arrays, (stream.metadata() or {}).get(HEADER)


formats = {".npz": (write_npz, read_npz), ".safetensors": (write_safetensors, read_safetensors)}
