"""Module finds, names, saves, loads and shows what is inside, as torch.nn.Module does; and forgets nothing silently."""

import copy
import gc
import types
import weakref

import numpy as np
import pytest

import nn
from autograd import Tensor, no_grad


def everything(nn=nn, ones=np.ones):
    """A network with all that a module can hold: layers, a parameter and buffers, containers, a shared layer."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(ones(1))
            self.hidden = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh())
            self.shared = nn.Linear(4, 4)
            self.again = self.shared
            self.heads = nn.ModuleDict({"mean": nn.Linear(4, 1), "var": nn.Linear(4, 1, bias=False)})
            self.steps = nn.ModuleList([nn.Dropout(0.5), nn.LayerNorm(4)])

        def forward(self, x):
            h = self.again(self.shared(self.hidden(x)))
            for step in self.steps:
                h = step(h)
            return self.heads["mean"](h) * self.scale

    return Net().double()


def torchs():
    """The same, of PyTorch's modules."""
    torch = pytest.importorskip("torch")
    return everything(torch.nn, torch.ones)


x = np.linspace(-1, 1, 15).reshape(5, 3)


# ---- finding


@pytest.mark.parametrize(
    "names",
    ["named_parameters", "named_buffers", "named_modules", "named_children"],
)
def test_names_and_their_order_are_pytorchs(names):
    ours, theirs = getattr(everything(), names)(), getattr(torchs(), names)()
    assert [name for name, _ in ours] == [name for name, _ in theirs]


@pytest.mark.parametrize("names", ["named_parameters", "named_buffers"])
@pytest.mark.parametrize("options", [{"prefix": "net"}, {"recurse": False}, {"remove_duplicate": False}])
def test_names_with_options_are_pytorchs(names, options):
    ours, theirs = getattr(everything(), names)(**options), getattr(torchs(), names)(**options)
    assert [name for name, _ in ours] == [name for name, _ in theirs]


def test_state_dict_is_pytorchs_and_goes_both_ways():
    theirs, ours = torchs().eval(), everything().eval()
    torch = pytest.importorskip("torch")
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    np.testing.assert_allclose(ours(x).data, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-12)
    theirs.load_state_dict({key: torch.tensor(value) for key, value in everything().state_dict().items()})


def test_what_is_shared_is_found_once_and_saved_under_both_names():
    net = everything()
    assert sum(p is net.shared.weight for p in net.parameters()) == 1
    assert {"shared.weight", "again.weight"} <= net.state_dict().keys()


def test_parameters_modules_and_children_are_those_with_names():
    net = everything()
    for plural in ("parameters", "buffers", "modules", "children"):
        named = [thing for _, thing in getattr(net, f"named_{plural}")()]
        assert all(a is b for a, b in zip(getattr(net, plural)(), named, strict=True))


def swap(net):
    net.heads["mean"], net.heads["var"] = net.heads["var"], net.heads["mean"]


CHANGES = {
    "a parameter, set": lambda net: setattr(net, "scale", nn.Parameter(np.ones(2))),
    "a parameter, added": lambda net: setattr(net, "offset", nn.Parameter(np.ones(2))),
    "a parameter, None": lambda net: setattr(net.shared, "bias", None),
    "a parameter where None was": lambda net: setattr(net.heads["var"], "bias", nn.Parameter(np.ones(1))),
    "a parameter, deleted": lambda net: delattr(net, "scale"),
    "a module, set far inside": lambda net: setattr(net.hidden, "0", nn.Linear(3, 4, bias=False)),
    "a module, deleted": lambda net: delattr(net, "heads"),
    "a shared module, parted": lambda net: setattr(net, "again", nn.Linear(4, 4)),
    "a list, longer": lambda net: net.steps.append(nn.Linear(4, 4)),
    "a list, shorter": lambda net: net.steps.pop(),
    "a list, in another order": lambda net: net.hidden.append(net.hidden.pop(0)),
    "a dictionary": swap,
    "all attributes at once": lambda net: setattr(net, "__dict__", vars(everything())),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_parameters_are_those_of_now_after_any_change(change):
    net, other = everything(), everything()
    before, others = list(net.parameters()), list(other.parameters())
    assert list(net.parameters()) == before
    change(net)
    named = [p for _, p in net.named_parameters()]
    assert [id(p) for p in net.parameters()] == [id(p) for p in named] != [id(p) for p in before]
    assert all(p is q for p, q in zip(other.parameters(), others, strict=True))


def test_a_copy_finds_parameters_of_its_own():
    net = everything()
    before = list(net.parameters())
    for twin in (copy.deepcopy(net), copy.copy(net)):
        twin.scale = nn.Parameter(np.zeros(1))
        assert [id(p) for p in twin.parameters()] == [id(p) for _, p in twin.named_parameters()]
    assert all(p is q for p, q in zip(net.parameters(), before, strict=True))


def test_a_layer_put_into_a_plain_list_later_is_still_noticed():
    net = everything()
    net.more = []
    assert list(net.parameters())
    net.more.append(nn.Linear(4, 4))
    with pytest.raises(TypeError, match="more is a plain list with modules"):
        net.parameters()


def test_train_and_eval_reach_everything():
    net = everything()
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    net.train()
    assert all(module.training for module in net.modules())
    with pytest.raises(TypeError, match=r"train\(\) takes True or False, not ndarray"):
        net.train(x)


def test_apply_starts_inside_and_returns_the_module():
    order = []
    net = nn.Sequential(nn.Sequential(nn.Tanh()))
    assert net.apply(order.append) is net
    assert order == [net[0][0], net[0], net]


def test_zero_grad_and_requires_grad_reach_every_parameter():
    net = everything()
    net(x).sum().backward()
    assert net.scale.grad is not None
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(x).requires_grad
    assert all(not p.requires_grad for p in net.parameters())


def test_dtypes_are_converted_but_integers_stay():
    net = everything().float()
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float32)}
    assert net.hidden[1].running_mean.dtype == np.float32
    assert net.hidden[1].num_batches_tracked.dtype == np.int64
    assert net(x.astype(np.float32)).dtype == np.float32
    assert net.double()(x).dtype == np.float64
    assert net.to("float32").scale.dtype == np.float32


def test_gradients_are_converted_with_their_parameters():
    net = nn.Linear(3, 1).double()
    net(x).sum().backward()
    assert net.float().weight.grad.dtype == np.float32


# ---- saving and loading


def test_state_dict_is_a_copy():
    net = everything()
    state = net.state_dict()
    net.scale.data[0] = 7
    net(x)
    assert state["scale"] == 1
    assert not state["hidden.1.num_batches_tracked"]


def test_loading_copies_into_the_same_arrays_and_converts():
    layer = nn.Linear(2, 1, bias=False).double()
    weight = layer.weight.data
    given = np.array([[1, 2]], np.float32)
    layer.load_state_dict({"weight": given})
    given[...] = 0
    assert layer.weight.data is weight
    assert weight.tolist() == [[1, 2]]


def test_a_state_that_does_not_fit_loads_nothing_and_lists_everything():
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    before = net.state_dict()
    state = net.state_dict()
    del state["0.weight"]
    state["2.bias"] = np.zeros(1)
    state["1.weight"] = np.zeros((3, 1))
    state["0.bias"] = np.array(["a", "b", "c"])
    state["1.bias"] = np.ones(1)
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(state)
    for line in (
        "does not fit Sequential; nothing was loaded",
        "missing: 0.weight",
        "unexpected: 2.bias",
        "1.weight: shape (3, 1), but here (1, 3)",
        "0.bias: <U1, not real numbers",
    ):
        assert line in str(error.value)
    assert all((before[key] == value).all() for key, value in net.state_dict().items())


def test_not_strict_answers_what_was_missing_and_unexpected():
    layer = nn.Linear(2, 1)
    missing, unexpected = layer.load_state_dict({"bias": [5.0], "other": 0}, strict=False)
    assert (missing, unexpected, layer.bias.data.tolist()) == (["weight"], ["other"], [5])
    with pytest.raises(RuntimeError, match="bias: shape"):
        layer.load_state_dict({"bias": [5.0, 6.0]}, strict=False)
    with pytest.raises(TypeError, match=r"takes what state_dict\(\) returns, not a list"):
        layer.load_state_dict([])


@pytest.mark.parametrize(
    "change",
    [
        lambda layer: layer.load_state_dict(layer.state_dict()),
        lambda layer: layer.double(),
        lambda layer: setattr(layer.weight, "data", layer.weight.data * 2),
        lambda layer: nn.init.zeros_(layer.weight),
    ],
)
def test_a_graph_from_before_a_change_refuses_backward(change):
    layer = nn.Linear(3, 1)
    loss = layer(x).sum()
    change(layer)
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_a_copied_module_is_equal_and_independent():
    net = everything().eval()
    twin = copy.deepcopy(net)
    np.testing.assert_array_equal(net(x).data, twin(x).data)
    assert twin.again is twin.shared
    twin.scale.data[0] = 5
    assert net.scale.data[0] == 1


# ---- hooks


def test_hooks_see_and_replace_inputs_and_output_until_removed():
    layer, seen = nn.Identity(), []
    before = layer.register_forward_pre_hook(lambda module, inputs: (seen.append((module, inputs)), inputs[0] + 1)[1])
    after = layer.register_forward_hook(lambda module, inputs, output: output * 10)
    looked = layer.register_forward_hook(lambda module, inputs, output: seen.append((inputs, output)))
    assert layer(1) == 20
    assert seen == [(layer, (1,)), ((2,), 20)]
    for hook in (before, after, looked):
        hook.remove()
    assert layer(1) == 1
    assert nn.Identity()(1) == 1


# ---- what a call leaves for pictures


def test_a_call_leaves_which_modules_made_the_output_outermost_first():
    net = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Tanh()))
    y = net(x)
    chain, record = [], y.made_by
    while record:
        module, inputs, record = record
        chain.append((module, inputs))
    assert [module for module, _ in chain] == [net, net[1], net[1][0]]
    assert chain[0][1][0] is x
    assert y.inputs[0].made_by[0] is net[0]


def test_what_is_handed_on_or_has_no_history_is_not_marked():
    leaf = Tensor(x, requires_grad=True)
    assert nn.Identity()(leaf).made_by is None
    y = leaf * 2
    assert nn.Sequential(nn.Identity())(y).made_by is None
    with no_grad():
        assert nn.Linear(3, 1)(x).made_by is None


def test_several_outputs_are_marked_each():
    class Two(nn.Module):
        def forward(self, x, *, y):
            return {"sum": x + y, "product": x * y}

    two, a, b = Two(), Tensor(1.0, requires_grad=True), Tensor(2.0)
    for output in two(a, y=b).values():
        assert output.made_by == (two, (a, b), None)


def test_the_graph_behind_a_module_is_freed_without_the_garbage_collector():
    net = nn.MLP([3, 4, 1], batch_norm=True, dropout=0.2, output=nn.Sigmoid)
    gc.disable()
    try:
        loss = nn.BCELoss()(net(x), np.ones((5, 1)))
        loss.backward()
        gone = weakref.ref(loss.inputs[0])
        del loss
        assert gone() is None
    finally:
        gc.enable()


# ---- Parameter


def test_a_parameter_is_a_tensor_that_learns_and_owns_its_values():
    array = np.ones(2)
    p = nn.Parameter(array)
    assert isinstance(p, Tensor)
    assert p.requires_grad
    p.data[0] = 5
    assert array[0] == 1
    assert not nn.Parameter(Tensor([1.0]), requires_grad=False).requires_grad
    assert nn.Parameter(Tensor([1.0], requires_grad=True) * 2).is_leaf
    assert repr(nn.Parameter([[1.0], [2.0]])) == "Parameter([[1.],\n           [2.]], requires_grad=True)"


def test_a_parameter_refuses_values_that_cannot_learn():
    p = nn.Parameter([1.0])
    with pytest.raises(TypeError, match=r"not int64: p.data = x.astype\(float\)"):
        p.data = np.array([1])


# ---- nothing is forgotten silently


@pytest.mark.parametrize("hidden", [[nn.Tanh()], (nn.Tanh(),), {"a": nn.Tanh()}, [1, [nn.Parameter([1.0])]]])
@pytest.mark.parametrize("use", [nn.Module.parameters, nn.Module.state_dict, nn.Module.train, nn.Module.modules])
def test_layers_in_plain_lists_get_a_sentence(hidden, use):
    net = nn.Module()
    net.layers = hidden
    container = "ModuleDict" if isinstance(hidden, dict) else "ModuleList"
    with pytest.raises(
        TypeError, match=rf"Module.layers is a plain {type(hidden).__name__}.*self.layers = nn.{container}"
    ):
        list(use(nn.Sequential(net)))


def test_a_forgotten_super_init_gets_a_sentence():
    class Forgetful(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(1, 1)

    class Later(nn.Module):
        def __init__(self):
            self.n = 3

    with pytest.raises(AttributeError, match=r"Forgetful.__init__ has to call super\(\).__init__\(\) first"):
        Forgetful()
    with pytest.raises(AttributeError, match=r"Later.__init__ has to call super\(\).__init__\(\) first"):
        list(Later().parameters())
    with pytest.raises(AttributeError, match=r"Later.__init__ has to call"):
        _ = Later().training


def test_a_module_cannot_be_inside_itself():
    net = nn.Sequential(nn.Tanh())
    with pytest.raises(ValueError, match=r"Tanh.outer would contain the very module that it is a part of"):
        net[0].outer = net
    with pytest.raises(ValueError, match="would contain the very module"):
        net.append(net)


def test_a_parameter_is_not_replaced_by_what_does_not_learn():
    layer = nn.Linear(2, 1)
    with pytest.raises(TypeError, match=r"Linear.weight is a Parameter, and ndarray there would not learn"):
        layer.weight = np.ones((1, 2))
    layer.bias = None
    assert layer(np.ones((3, 2))).shape == (3, 1)


def test_a_tensor_that_no_optimizer_would_find_is_warned_of():
    net = nn.Module()
    with pytest.warns(UserWarning, match=r"Module.w is a Tensor that requires grad.*self.w = nn.Parameter"):
        net.w = Tensor([1.0], requires_grad=True)


def test_a_module_without_forward_or_attribute_says_so():
    with pytest.raises(TypeError, match=r"Module has no `def forward"):
        nn.Module()(x)
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'wieght'"):
        _ = nn.Linear(1, 1).wieght
    for container in (nn.ModuleList(), nn.ModuleDict()):
        with pytest.raises(TypeError, match="computes nothing itself"):
            container(x)


@pytest.mark.parametrize("dtype", ["cuda", int, None.__class__])
def test_to_takes_floating_dtypes_only(dtype):
    with pytest.raises(TypeError, match=r"to\(\) takes a floating dtype such as np.float32"):
        nn.Linear(1, 1).to(dtype)


# ---- containers


def test_sequential_indexes_slices_and_appends():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    assert len(net) == 3
    assert net[-1] is net[2]
    assert net[:2][0] is net[0]
    assert type(net[:2]) is nn.Sequential
    assert list(net[1:].state_dict()) == ["1.weight", "1.bias"]
    assert net.append(nn.Sigmoid()) is net
    assert [name for name, _ in net.named_children()] == ["0", "1", "2", "3"]
    net[1] = nn.ReLU()
    assert isinstance(net[1], nn.ReLU)
    assert type(nn.MLP([2, 3, 1])[:2]) is nn.Sequential
    with pytest.raises(IndexError, match=r"Sequential has 4 modules; there is no \[4\]"):
        net[4]


@pytest.mark.parametrize("container", [nn.Sequential, lambda *modules: nn.ModuleList(modules)])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda net: net.__delitem__(0), "BCD"),
        (lambda net: net.__delitem__(-2), "ABD"),
        (lambda net: net.__delitem__(slice(1, 3)), "AD"),
        (lambda net: net.insert(0, nn.Identity()), "?ABCD"),
        (lambda net: net.insert(-1, nn.Identity()), "ABC?D"),
        (lambda net: net.insert(4, nn.Identity()), "ABCD?"),
        (lambda net: net.pop(), "ABC"),
        (lambda net: net.pop(1), "ACD"),
    ],
)
def test_modules_are_inserted_and_taken_out_and_numbered_anew(container, change, expected):
    modules = [nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2), nn.ReLU()]
    net = container(*modules)
    answer = change(net)
    assert "".join("ABCD"[modules.index(m)] if m in modules else "?" for m in net) == expected
    assert [name for name, _ in net.named_children()] == [str(i) for i in range(len(expected))]
    removed = [m for m in modules if m not in [*net]]
    assert answer is (net if "?" in expected else answer and removed[0])


def test_what_cannot_be_inserted_or_taken_out_changes_nothing():
    net = nn.Sequential(nn.Tanh(), nn.ReLU())
    for change, error in ((lambda: net.insert(0, np.tanh), TypeError), (lambda: net.pop(2), IndexError)):
        with pytest.raises(error):
            change()
    assert [type(m) for m in net] == [nn.Tanh, nn.ReLU]


def test_sequential_takes_names():
    net = nn.Sequential({"in": nn.Linear(2, 3), "out": nn.Linear(3, 1)})
    assert net.out is net[1]
    assert next(iter(net.state_dict())) == "in.weight"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([nn.Tanh], r"Tanh is a class: write nn.Tanh\(\)"),
        ([[nn.Tanh()]], r"got a list of 1: write nn.Sequential\(\*layers\)"),
        ([np.tanh], "holds modules, not ufunc"),
    ],
)
def test_sequential_refuses_what_is_no_module(given, sentence):
    with pytest.raises(TypeError, match=sentence):
        nn.Sequential(*given)


def test_module_list_is_a_list():
    layers = nn.ModuleList([nn.Tanh()])
    layers.extend([nn.ReLU(), nn.ELU()])
    assert [type(m).__name__ for m in layers] == ["Tanh", "ReLU", "ELU"]
    assert type(layers[1:]) is nn.ModuleList
    assert len(nn.ModuleList()) == 0


def test_module_dict_is_a_dict():
    heads = nn.ModuleDict({"a": nn.Tanh()})
    heads["b"] = nn.ReLU()
    heads.update([("c", nn.ELU())])
    del heads["c"]
    assert list(heads) == heads.keys() == ["a", "b"]
    last = heads["c"] = nn.ELU()
    assert heads.pop("c") is last
    assert "a" in heads
    assert "training" not in heads
    assert len(heads) == 2
    assert [type(m).__name__ for m in heads.values()] == ["Tanh", "ReLU"]
    assert heads.items()[0] == ("a", heads["a"])
    for missing in (lambda: heads["z"], lambda: heads.pop("z")):
        with pytest.raises(KeyError, match="no module 'z' here"):
            missing()
    heads.clear()
    assert len(heads) == 0


@pytest.mark.parametrize("name", ["train", "training", "a.b", "", 3])
def test_module_dict_refuses_names_that_cannot_be_attributes(name):
    with pytest.raises(ValueError, match=r"ModuleDict (cannot keep a module as|takes names without dots)"):
        nn.ModuleDict({name: nn.Tanh()})


def test_repr_shows_what_is_inside():
    net = nn.Sequential(nn.Linear(2, 1), nn.Sequential(nn.LeakyReLU(0.1)))
    assert repr(net) == (
        "Sequential(\n  (0): Linear(in_features=2, out_features=1, bias=True)\n"
        "  (1): Sequential(\n    (0): LeakyReLU(negative_slope=0.1)\n  )\n)"
    )


def test_everything_public_is_named():
    public = {name for name, thing in vars(nn).items() if name[0] != "_" and not isinstance(thing, types.ModuleType)}
    assert public <= set(nn.__all__)
    assert all(hasattr(nn, name) for name in nn.__all__)
    with pytest.raises(AttributeError, match="module 'nn' has no attribute 'Conv2d'"):
        _ = nn.Conv2d


def test_a_result_picked_from_a_container_does_not_hold_itself():
    class Pick(nn.Module):
        def forward(self, parts, *, more):
            return parts[0] if more is None else more["a"]

    for more in (None, True):
        t = Tensor([1.0], requires_grad=True) * 2
        gone = weakref.ref(t)
        gc.disable()
        try:
            out = Pick()([t], more=more and {"a": t})
            del t, out
            assert gone() is None
        finally:
            gc.enable()


# ---- buffers that are assigned to


class Counts(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("steps", np.array(0))
        self.register_buffer("mean", np.zeros(2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_buffer_stays_an_array_whatever_is_assigned(dtype):
    net = Counts()
    net.steps = net.steps + 1  # NumPy makes a number of it
    net.mean = [1.0, 2.0]
    assert net.state_dict()["steps"] == 1
    net.to(dtype).load_state_dict(Counts().state_dict())
    assert net.steps.shape == ()
    assert net.steps.dtype == int
    assert net.mean.dtype == dtype
    assert np.array_equal(net.mean, [0, 0])


def test_an_array_that_cannot_be_written_to_becomes_a_buffer_that_can():
    net = Counts()
    net.mean = np.broadcast_to(1.0, 2)
    net.load_state_dict(Counts().state_dict())
    assert np.array_equal(net.mean, [0, 0])


def test_a_buffer_that_was_deleted_or_became_a_parameter_is_none_any_more():
    net = Counts()
    del net.steps
    net.mean = nn.Parameter(np.zeros(2))
    assert list(net.state_dict()) == ["mean"]
    assert not list(net.buffers())
    assert net.float().mean.dtype == np.float32


def test_a_buffer_that_is_refused_is_not_registered():
    net = nn.Linear(1, 1)
    with pytest.raises(ValueError, match="is there already, and no buffer"):
        net.register_buffer("weight", np.zeros(1))
    assert not list(net.named_buffers())


def test_a_module_without_a_result_is_named():
    class Forgetful(nn.Module):
        def forward(self, input):
            np.tanh(input)

    with pytest.raises(TypeError, match=r"^Forgetful\.forward\(\) returned None: does it end with `return`\?"):
        nn.Sequential(nn.Linear(2, 2), Forgetful(), nn.ReLU())(np.zeros((1, 2)))


@pytest.mark.parametrize("name", ["forward", "training", "weight", "a.b", "", 3])
def test_a_buffer_takes_a_name_that_is_free(name):
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"Linear\.\w+ is there already, and no buffer|takes a name without dots"):
        model.register_buffer(name, np.ones(2))
    model.register_buffer("scale", np.ones(2))
    model.register_buffer("scale", np.zeros(2))  # its own it may have again
    assert [(key, x.tolist()) for key, x in model.named_buffers()] == [("scale", [0, 0])]


def test_to_none_leaves_the_module_as_it_is():
    model = nn.Linear(2, 2).float()
    assert model.to(None) is model
    assert model.weight.dtype == np.float32
