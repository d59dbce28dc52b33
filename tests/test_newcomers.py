"""The mistakes of a first week, made on purpose: each message says what was given, what was expected, what to write.

A mistake is what a beginner really types, with the habits of NumPy, PyTorch and Keras in the fingers. Beside it stand
the error or warning that answers, and words that have to be in its message.
"""

import copy
import re

import numpy as np
import pytest

import nn
from autograd import Tensor, advice

BEFORE = """
import copy, json, math, pickle
import numpy as np
import autograd, nn, viz
import nn.optim as optim
from autograd import Tensor, grad, no_grad

x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
w = Tensor([1.0, 2.0, 3.0], requires_grad=True)
s = Tensor(2.0, requires_grad=True)
W = Tensor(np.ones((2, 3)), requires_grad=True)
X, Y = np.linspace(-1, 1, 16).reshape(8, 2), np.zeros((8, 1))
scores, labels = np.arange(24.0).reshape(8, 3), np.arange(8) % 3
model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
criterion, optimizer = nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1)
"""
NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(2, 1)
"""

TENSORS = [
    # the first line: making a Tensor
    ("Tensor([[1, 2], [3]])", ValueError, "different lengths", "[[1, 2], [3]]", "equal lengths", "Pad"),
    ("Tensor(None)", TypeError, "this is None", "real numbers"),
    ("Tensor([1.0, None])", TypeError, "a list with None in it", "real numbers"),
    ("Tensor([1, 2], np.float32)", TypeError, "True or False", "float32", "dtype=np.float32"),
    ("Tensor([1.0], requires_grad='False')", TypeError, "True or False", "'False'"),
    ("Tensor(1.0, name=1)", TypeError, "a text such as 'w'", "not 1"),
    ("x.name = s", TypeError, "a text such as 'w'", "Tensor(2."),
    ("Tensor(np.array([1, 2.5], dtype=object))", TypeError, "a ndarray of Python objects", "real numbers"),
    ("copy.copy(np.atleast_1d(x))", TypeError, "Only leaves", "plt.plot(t.data)"),
    ("np.concatenate(x, w)", TypeError, "axis=", "a whole number", "np.concatenate([a, b])"),
    ("np.sum(x, w)", TypeError, "axis=", "a whole number"),
    (
        "w.grad = np.zeros((3, 1))\n(w * w).sum().backward()",
        RuntimeError, "shape (3,)", "a grad of shape (3, 1)", "its tensor's shape", "zero_grad()",
    ),
    ("Tensor('3.0')", TypeError, "the text '3.0'", "real numbers", "convert it to floats"),
    ("Tensor(1 + 2j)", TypeError, "complex", "two real Tensors"),
    ("Tensor([1, 2], requires_grad=True, dtype=int)", TypeError, "int64", "Only floating point numbers"),
    ("t = Tensor([1, 2]); t.requires_grad = True", TypeError, "int64", "Only floating point numbers"),
    ("Tensor([s, s])", TypeError, "its gradient would be lost", "np.stack([...])"),
    # backward
    ("(x * 2).backward()", ValueError, "shape (3,)", "starts from a scalar", "loss.sum().backward()"),
    ("Tensor(2.0).backward()", RuntimeError, "nothing it was computed from requires grad", "requires_grad=True"),
    ("with no_grad(): loss = criterion(model(X), Y)\nloss.backward()", RuntimeError, "computed under no_grad"),
    ("criterion(model(X).detach(), Y).backward()", RuntimeError, "nothing it was computed from requires grad"),
    ("with no_grad: y = x * 2", TypeError, "lacks its parentheses", "`with no_grad():`"),
    (
        "loss = (x * x).sum()\nloss.backward(retain_graph=False)\nloss.backward()",
        RuntimeError, "freed by backward(retain_graph=False)", "Compute the result anew", "keep the graph",
    ),
    ("(x * x).sum().backward(True)", TypeError, "not bool", "real numbers", "retain_graph="),
    ("autograd.steps(x * x)", ValueError, "shape (3,)", "a scalar", "loss.sum()", "pass gradient="),
    ("grad(x * x, x)", ValueError, "shape (3,)", "a scalar", "grad_outputs="),
    ("grad((x * x).sum(), w)", RuntimeError, "no output depends on input 0", "allow_unused=True"),
    (
        "slope, = grad(nn.functional.relu(x).sum(), x, create_graph=True)\ngrad(slope.sum(), x)",
        RuntimeError, "constant piece by piece", "its own is 0",
    ),
    ("grad(lambda x: x * x)(3.0)", TypeError, "function", "a Tensor", "autograd.functional.gradient(f)"),
    ("grad((x * x).sum())", TypeError, "the inputs", "grad(loss, [w, b])"),
    ("grad(lambda x: x * x, 3.0)", TypeError, "function", "a Tensor", "autograd.functional.gradient(f)"),
    # updating by hand
    ("(w * w).sum().backward()\nw -= 0.1 * w.grad", RuntimeError, "`-=` on a leaf", "with autograd.no_grad():"),
    ("for p in model.parameters(): p -= 0.1", RuntimeError, "`-=` on a leaf", "with autograd.no_grad():"),
    (
        "loss = criterion(model(X), Y)\nfor p in model.parameters(): p.data *= 0.5\nloss.backward()",
        RuntimeError, "changed in place after it was recorded", "Compute the loss again",
    ),
    (
        "loss = (w * w).sum()\nwith no_grad(): w -= 0.1\nloss.backward()",
        RuntimeError, "changed in place", "its gradient would be wrong", "Compute the loss again",
    ),
    # numbers and arrays out of tensors
    ("math.exp(s)", UserWarning, "float() of a Tensor", "the gradient ends here", "np.exp, not math.exp", "t.item()"),
    ("math.exp(x)", TypeError, "shape (3,)", "a single number", "np.exp, not math.exp"),
    ("float(x)", TypeError, "shape (3,)", "a single number"),
    ("float(W[:1, :1])", TypeError, "shape (1, 1)", "a single number", "t.item()"),
    ("x.item()", ValueError, "shape (3,)", "one element", "t.data"),
    ("x.numpy()", TypeError, "requires grad", "t.detach() or t.data"),
    ("np.array([s, s])", TypeError, "does not turn into an array", "np.stack([...]) for a list of Tensors"),
    ("a = np.zeros(3)\na[:] = x", TypeError, "its gradient would be lost", "np.stack"),
    ("a = np.zeros(3)\na[0] = s", UserWarning, "the gradient ends here", "NumPy's functions"),
    ("a = np.zeros(3)\na += x", TypeError, "existing array", "array = array + tensor"),
    ("np.exp(x, out=np.zeros(3))", TypeError, "out=", "a new name for the result"),
    ("x[0] = 5.0", RuntimeError, "x[i] = v", "np.where(mask, v, x)", "no_grad"),
    ("if x: pass", ValueError, "shape (3,)", "ambiguous", "(t > 0).any()", "np.where"),
    ("if x > 0: pass", ValueError, "more than one element is ambiguous", "a.any() or a.all()"),  # NumPy's own words
    ("f'{x:.3f}'", TypeError, "shape (3,)", "one element", "t.mean()"),
    ("len(s)", TypeError, "shape ()", "a single number"),
    ("for v in s: pass", TypeError, "shape ()", "a single number"),
    ("json.dumps({'loss': s * 2})", TypeError, "Object of type Tensor"),  # Python's, and its word is the user's
    ("'loss: ' + s * 2", TypeError, '(not "Tensor")'),
    ("pickle.dumps((x * 2).sum())", TypeError, "a graph", "Only leaves", "t.detach()"),
    ("copy.deepcopy(x * 2)", TypeError, "a graph", "Only leaves", "t.copy()"),
    # shapes
    ("x @ W", ValueError, "(3,) and (2, 3)", "must be equally long", "a @ b.T would fit"),
    ("np.ones((4, 3)) @ W", ValueError, "(4, 3) and (2, 3)", "last axis but one of b", "a @ b.T would fit"),
    ("s @ x", ValueError, "() and (3,)", "vectors and matrices", "For a number write *"),
    ("x @ 3", ValueError, "(3,) and ()", "vectors and matrices", "For a number write *"),
    ("3 @ x", ValueError, "() and (3,)", "vectors and matrices", "For a number write *"),
    ("x + np.ones(4)", ValueError, "(3,) (4,)", "broadcast together"),
    ("W.reshape(4, 2)", ValueError, "size 6", "(4,2)"),
    ("W @ np.ones(2)", ValueError, "(2, 3) and (2,)", "the first axis of b", "a.T @ b would fit"),
    ("W.transpose(-2, -1)", UserWarning, "transpose(-2, -1)", "as they are, as in NumPy", "t.T"),
    ("W.transpose(0, 1)", UserWarning, "transpose(0, 1)", "as they are, as in NumPy", "t.T"),
    (
        "Tensor(np.ones((2, 3, 4))).transpose(1, 2)",
        ValueError, "gives 2 axes", "shape (2, 3, 4)", "all its axes", "np.swapaxes(t, 1, 2)",
    ),
    # functions that have no derivative here
    ("np.unwrap(x)", TypeError, "np.unwrap has no derivative rule", "autograd.op(np.unwrap", "np.unwrap(t.data)"),
    ("np.fft.fft(x)", TypeError, "np.fft.fft has no derivative rule", "np.fft.fft(t.data)"),
    ("np.add.outer(x, x)", TypeError, "np.add.outer has no derivative rule", "np.sum"),
    ("x.astype(int)", TypeError, "int64", "Only floating point numbers have derivatives", "t.data"),
    ("autograd.op(np.unwrap, lambda g, y, x: g)", TypeError, "op(unwrap) needs sample calls", "at=[call((3, 4))]"),
    # PyTorch's words; the rest of them is below
    ("x.view(3, 1)", AttributeError, "A Tensor has no attribute 'view'", "t.reshape"),
    ("x.unsqueeze(0)", AttributeError, "'unsqueeze'", "np.expand_dims(t, 0)"),
    ("x.to('cuda')", AttributeError, "'to'", "for a device nothing", "CPU"),
    ("x.detach().cpu().numpy()", AttributeError, "'cpu'", "t alone", "CPU"),
    ("x.clone()", AttributeError, "'clone'", "t.copy()"),
    ("x.requires_grad_()", AttributeError, "'requires_grad_'", "t.requires_grad = True"),
    ("(x * 2).retain_grad()", AttributeError, "'retain_grad'", "every Tensor in a graph keeps its gradient"),
    ("x.sum(dim=0)", TypeError, "does not take dim=", "PyTorch's dim=", "NumPy's axis="),
    ("x.mean(axis=0, keepdim=True)", TypeError, "does not take keepdim=", "NumPy's keepdims="),
    ("W.argmax(dim=1)", TypeError, "argmax of a Tensor", "PyTorch's dim=", "NumPy's axis="),
    ("x.median(dim=0)", TypeError, "does not take dim=0", "NumPy's axis="),
    ("x.size(0)", TypeError, "'int' object is not callable"),  # Python's: size is a number, as NumPy's is
    ("x.sort()", AttributeError, "'sort'", "np.sort(t), which is a new Tensor"),
    ("x.append(1.0)", AttributeError, "'append'", "np.append(t, u), which is a new Tensor"),
]  # fmt: skip

NETWORKS = [
    # writing a module
    (
        "class Net(nn.Module):\n    def __init__(self):\n        self.hidden = nn.Linear(2, 1)\nNet()",
        AttributeError, "Net.__init__", "super().__init__() first",
    ),
    (
        NET + "        self.layers = [nn.Linear(2, 1)]\nlist(Net().parameters())",
        TypeError, "Net.layers is a plain list", "neither trained nor saved", "nn.ModuleList([...])",
    ),
    (
        NET + "        self.w = Tensor(np.ones(2), requires_grad=True)\nNet()",
        UserWarning, "Net.w", "no optimizer will find it", "self.w = nn.Parameter(...)",
    ),
    (NET + "Net()(X)", TypeError, "Net has no", "`def forward(self, input)`"),
    (NET + "    def foward(self, x): return self.hidden(x)\nNet()(X)", TypeError, "Net has no", "def forward"),
    (
        NET + "    def forward(self, x): self.hidden(x)\ncriterion(Net()(X), Y)",
        TypeError, "not None", "real numbers", "Does forward() return its result?",
    ),
    ("nn.ReLU(x)", TypeError, "ReLU() got the data", "made without them", "nn.ReLU()(x)"),
    ("nn.Sigmoid(model(X))", TypeError, "Sigmoid() got the data", "nn.Sigmoid()(x)"),
    ("nn.Linear(4, 2)(X)", ValueError, "shape (8, 2)", "length 4"),
    ("nn.Linear(2, 5 / 2)", TypeError, "2.5", "whole numbers", "n // 2"),
    ("nn.Linear(2, -4)", TypeError, "-4", "whole numbers, at least 0"),
    ("nn.functional.relu(model)", TypeError, "relu", "a Sequential", "real numbers", "Call it", "model(x)"),
    ("nn.functional.sigmoid(model)", TypeError, "expit", "a Sequential", "real numbers", "Call it", "model(x)"),
    ("nn.Tanh()(model)", TypeError, "a Sequential", "real numbers", "Call it", "model(x)"),
    ("nn.GELU()(None)", TypeError, "gelu", "None", "real numbers", "Does forward() return its result?"),
    ("nn.Softplus()('abc')", TypeError, "softplus", "the text 'abc'", "real numbers", "an array or a Tensor"),
    ("nn.Mish()(model)", TypeError, "a Sequential", "real numbers", "Call it"),
    ("nn.init.xavier_uniform_(model)", TypeError, "a Tensor or an array of floats", "Sequential"),
    ("nn.Linear(2, 4)(nn.ReLU())", TypeError, "a ReLU", "real numbers", "Call it", "model(x)"),
    ("nn.Sequential([nn.Linear(2, 4), nn.ReLU()])", TypeError, "a list of 2", "nn.Sequential(*layers)"),
    ("nn.Sequential(nn.Linear(2, 4), nn.ReLU)", TypeError, "ReLU is a class", "nn.ReLU()"),
    ("nn.Sequential(nn.Linear(2, 4), np.tanh)", TypeError, "ufunc", "holds modules", "nn.Tanh()"),
    ("model['hidden']", TypeError, "'hidden'", "a whole number", "model.hidden"),
    ("nn.ModuleList(nn.Linear(2, 4))", TypeError, "one Linear", "a list of modules", "[module]"),
    ("nn.ModuleList([nn.Linear(2, 4)])(X)", TypeError, "computes nothing itself", "nn.Sequential"),
    ("nn.BatchNorm1d(2)(X[0])", ValueError, "shape (2,)", "(n, 2)"),
    ("nn.BatchNorm1d(2)(X[:1])", ValueError, "shape (1, 2)", "at least two values", "model.eval()"),
    ("nn.Dropout(20)", ValueError, "20", "between 0 and 1"),
    ("nn.Embedding(4, 2)(X)", TypeError, "float64", "integers", "i.astype(int)"),
    ("nn.Softmax()(X)", ValueError, "along which axis", "dim=-1"),
    ("nn.Relu()", AttributeError, "'Relu'", "did you mean nn.ReLU?"),
    ("nn.Dense(2, 4)", AttributeError, "'Dense'", "did you mean nn.Linear?"),
    ("nn.CrossEntropy()", AttributeError, "'CrossEntropy'", "did you mean nn.CrossEntropyLoss?"),
    ("nn.Conv2d(1, 8, 3)", AttributeError, "'Conv2d'", "only what a first course uses", "dir(nn)"),
    ("model[0].weight = np.ones((4, 2))", TypeError, "ndarray", "would not learn", ".weight.data = values"),
    # Keras' words
    ("model.fit(X, Y)", AttributeError, "'fit'", "a loop that you write", "optimizer.step()"),
    ("model.compile(optimizer='adam', loss='mse')", AttributeError, "'compile'", "nn.MSELoss()", "optim.SGD("),
    ("model.predict(X)", AttributeError, "'predict'", "model(x)", "model.eval()"),
    ("model.summary()", AttributeError, "'summary'", "print(model)"),
    ("model.cuda()", AttributeError, "'cuda'", "CPU"),
    ("model.to('cuda')", TypeError, "'cuda'", "a floating dtype", "CPU"),
    ("model.backward()", AttributeError, "'backward'", "loss.backward()"),
    ("criterion.backward()", AttributeError, "'backward'", "loss = criterion(model(x), y); loss.backward()"),
    ("model.train(X)", TypeError, "ndarray", "True or False", "a loop that you write"),
    ("model.train = False", TypeError, "is a method", "a bool would only hide", "model.train() or model.eval()"),
    (
        "m = nn.BatchNorm1d(2)\nm.running_mean = model[0](X).mean(axis=0)",
        TypeError, "BatchNorm1d.running_mean is a buffer", "no history", "self.running_mean = x.data",
    ),
    ("model.add_module('a', nn.ReLU())", AttributeError, "'add_module'", "self.name = module"),
    ("model.register_parameter('w', w)", AttributeError, "'register_parameter'", "self.name = nn.Parameter(values)"),
    ("model.parameters = nn.Linear(2, 1)", TypeError, "is a method", "a Linear would only hide", "Choose another name"),
    ("model.state_dict = {}", TypeError, "is a method", "a dict would only hide", "another name"),
    ("model.eval = True", TypeError, "is a method", "model.eval()"),
    # optimizers
    ("optim.SGD(model.parameters, lr=0.1)", TypeError, "one method", "model.parameters()"),
    ("optim.SGD(model, lr=0.1)", TypeError, "one Sequential", "model.parameters()"),
    ("optim.SGD(w, lr=0.1)", TypeError, "one Tensor", "a list such as [w, b]"),
    ("optim.SGD([X], lr=0.1)", TypeError, "ndarray", "Tensors that require grad"),
    ("optim.SGD([x * 2], lr=0.1)", ValueError, "was computed by", "leaves"),
    ("optim.SGD(nn.ReLU().parameters(), lr=0.1)", ValueError, "got no parameters", "the model has none"),
    ("optim.SGD(model.parameters(), lr='0.1')", TypeError, "'0.1'", "a number at least 0"),
    ("optim.SGD(model.parameters(), lr=-0.1)", ValueError, "-0.1", "a number at least 0"),
    ("optim.SGD(model.parameters(), learning_rate=0.1)", TypeError, "does not take learning_rate=", "lr=, momentum="),
    ("optim.Adam(model.parameters(), momentum=0.9)", TypeError, "does not take momentum=", "betas="),
    ("optimizer.lr = 0.01", AttributeError, "no lr of its own", "optimizer.param_groups[0]['lr'] = 0.01"),
    ("optimizer.step(criterion(model(X), Y))", TypeError, "a Tensor", "takes nothing", "loss.backward()"),
    ("optimizer.zero_grad()\noptimizer.step()", UserWarning, "found no gradients", "loss.backward(), optimizer.step()"),
    ("nn.utils.clip_grad_norm_(model.parameters(), 1.0)", UserWarning, "no gradients", "after loss.backward()"),
    ("nn.utils.clip_grad_norm_(model, 1.0)", TypeError, "a Sequential", "model.parameters()"),
    # losses
    ("nn.MSELoss(model(X), Y)", TypeError, "MSELoss() got the data", "nn.MSELoss()(input, target)"),
    ("nn.BCELoss(model(X), Y)", TypeError, "BCELoss() got the data", "nn.BCELoss()(input, target)"),
    ("criterion(model(X), Y[:, 0])", ValueError, "(8, 1)", "(8,)", "target.reshape(8, 1)"),
    ("criterion(model(X), Y[:5])", ValueError, "(8, 1)", "(5, 1)"),
    ("criterion(model, Y)", TypeError, "a Sequential", "real numbers", "model(x)"),
    ("nn.MSELoss(reduction='average')", ValueError, "'average'", "'mean', 'sum', 'none'"),
    ("nn.BCELoss()(model(X) - 5, Y)", ValueError, "input goes from", "probabilities, 0 to 1", "BCEWithLogitsLoss"),
    ("nn.BCELoss()(nn.Sigmoid()(model(X)), Y + 2)", ValueError, "target goes from 2 to 2", "probabilities, 0 to 1"),
    ("nn.BCELoss()(model(X) > 0.5, Y)", TypeError, "a comparison such as p > 0.5", "what the model returned"),
    ("nn.BCELoss()(Y, nn.Sigmoid()(model(X)))", UserWarning, "only the second requires grad", "criterion(model(x), y)"),
    ("nn.BCEWithLogitsLoss()(nn.Sigmoid()(model(X)), Y)", UserWarning, "a sigmoid", "the scores before", "BCELoss"),
    ("nn.CrossEntropyLoss()(scores, np.eye(3, dtype=int)[labels])", ValueError, "(8, 3)", "(8,)", ".astype(float)"),
    ("nn.CrossEntropyLoss()(scores, labels.astype(float))", TypeError, "float64", "integers", "target.astype(int)"),
    ("nn.CrossEntropyLoss()(scores, labels + 1)", ValueError, "target has [3]", "0 to 2"),
    ("nn.CrossEntropyLoss()(scores, labels[:, None])", ValueError, "(8, 1)", "(8,)", "target.reshape(8,)"),
    ("nn.CrossEntropyLoss()(labels, scores)", TypeError, "float64", "Scores come first", "criterion(model(x), y)"),
    ("nn.CrossEntropyLoss()(nn.Softmax(-1)(scores), labels)", UserWarning, "each row sums to 1", "give it scores"),
    ("nn.CrossEntropyLoss()(model(X), 0 * labels)", UserWarning, "a single class", "always 0", "BCEWithLogitsLoss"),
    ("nn.CrossEntropyLoss()(model(X), Y)", UserWarning, "a single class", "always 0", "BCEWithLogitsLoss"),
    # data
    ("nn.DataLoader(X, batch_size='3')", ValueError, "a whole number, at least 1", "'3'"),
    ("nn.DataLoader(X, Y)", TypeError, "takes one dataset", "DataLoader(TensorDataset(x, y), batch_size)"),
    ("nn.DataLoader([X, Y], batch_size=4)", TypeError, "takes one dataset", "TensorDataset(x, y)"),
    ("nn.DataLoader(nn.TensorDataset(X, Y), batch_size=0)", ValueError, "got 0", "at least 1"),
    ("nn.TensorDataset(X, Y[:5])", ValueError, "[(8, 2), (5, 1)]", "arrays of one length"),
    ("nn.TensorDataset([X, Y])", ValueError, "one by one, not in a list", "TensorDataset(x, y)"),
    ("for batch in nn.DataLoader(nn.TensorDataset(X, Y), 4): model(batch)", TypeError, "a tuple of 2", "for x, y in"),
    (
        "m = nn.Sequential(nn.Linear(2, 1), nn.Softmax(-1))\nnn.BCELoss()(m(X), Y)",
        UserWarning, "a single score", "always 1", "a sigmoid", "BCEWithLogitsLoss",
    ),
    (
        "p = nn.functional.softmax(scores, -1)\nnn.KLDivLoss(reduction='batchmean')(p, p)",
        UserWarning, "looks like probabilities", "log_softmax(scores, -1)",
    ),
    # saving
    ("nn.save(model.state_dict(), 'model.npz')", TypeError, "the path first", "nn.save(\"model.npz\", model=model)"),
    ("nn.save('no folder/model.npz', model=model)", FileNotFoundError, "no folder", "'model.npz'", "make it first"),
    ("nn.load('model.pt')", ValueError, "'model.pt'", ".safetensors or an .npz", "safetensors.torch.save_file"),
    ("model.save('model.npz')", AttributeError, "'save'", "nn.save(\"model.npz\", model=model)"),
    ("model.load_state_dict('model.npz')", TypeError, "a str", "nn.load("),
    ("model.load_state_dict(model)", TypeError, "a Sequential", "state_dict()"),
    ("model.load_state_dict(model.state_dict)", TypeError, "a method", "parentheses"),
    (
        "model.load_state_dict(nn.Linear(2, 4).state_dict())",
        RuntimeError, "does not fit Sequential; nothing was loaded", "missing: 0.weight", "unexpected: weight",
    ),
    (
        "model.load_state_dict(nn.MLP([3, 4, 1]).state_dict())",
        RuntimeError, "does not fit Sequential", "0.weight: shape (4, 3)", "(4, 2)",
    ),
    # pictures
    ("viz.draw(criterion(model(X), Y).item())", TypeError, "float", "a Tensor, such as a loss", "loss.item()"),
    ("viz.tree(model)", TypeError, "Sequential", "a Tensor, such as a loss", "model(x)"),
    ("viz.step(model)", TypeError, "Sequential", "a Tensor, such as a loss", "model(x)"),
    ("viz.step(Tensor(3.0))", RuntimeError, "nothing it was computed from requires grad", "requires_grad=True"),
    ("viz.step(x * x)", ValueError, "shape (3,)", "a scalar", "loss.sum()", "pass gradient="),
    ("viz.draw((s * s, s))", TypeError, "tuple of 2", "one of them"),
    ("viz.draw(nn.ReLU(), X)", TypeError, "ndarray", "arrays alone", "Tensor(x, requires_grad=True)"),
    ("viz.draw(s * s, names=['s'])", TypeError, "names= is a dict", "locals()", "not list"),
    ("viz.step(s * s, names={1: s})", TypeError, "names= is a dict", "locals()"),
    ("viz.draw(nn.Perceptron)", TypeError, "the class Perceptron", "model = Perceptron(...)", "model(x)"),
    ("viz.draw(nn.Perceptron, X)", TypeError, "the class Perceptron", "model = Perceptron(...)", "model(x)"),
    ("viz.tree(nn.Perceptron)", TypeError, "the class Perceptron", "model = Perceptron(...)", "model(x)"),
    ("viz.draw(s * s).save('picture.jpg')", ValueError, "picture.jpg", ".svg, .html, .png, .pdf and .dot"),
]  # fmt: skip
MISTAKES = TENSORS + NETWORKS


def names():
    """What stands before every mistake."""
    names = {}
    exec(BEFORE, names)
    return names


def message(code, expected):
    """What Python answers to code: the text of an exception or of a warning of the expected type."""
    if issubclass(expected, Warning):
        with pytest.warns(expected) as caught:
            exec(code, names())
        return str(caught[0].message)
    with pytest.raises(expected) as raised:
        exec(code, names())
    return str(raised.value)


def title(mistake):
    """What a mistake is called in the report of the tests."""
    return mistake[0].removeprefix(NET).replace("\n", "; ")


@pytest.mark.parametrize("mistake", MISTAKES, ids=title)
def test_the_message_says_what_was_given_what_was_expected_and_what_to_write(mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, expected, *words = mistake
    text = message(code, expected)
    assert [word for word in words if word not in text] == [], text
    text.encode("cp1252")  # it prints on a Windows console


def test_there_are_fifty_of_them_and_more():
    assert len({code for code, *_ in MISTAKES}) == len(MISTAKES) > 50


# ---- what is no error, but can be seen


def test_a_forgotten_zero_grad_doubles_the_gradient():
    w = Tensor(3.0, requires_grad=True)
    (w * w).backward()
    (w * w).backward()
    assert w.grad == 12
    assert "grad=12." in repr(w)


def test_a_parameter_that_was_replaced_by_an_expression_says_so_in_its_repr():
    w, lr = Tensor(3.0, requires_grad=True), 0.25
    for _ in range(2):
        (w * w).backward()
        w = w - lr * w.grad  # right: an operation keeps its gradient; but the graph grows, pass by pass
    assert w.data == 0.75
    assert not w.is_leaf
    assert "op=subtract" in repr(w)


def test_a_forgotten_eval_goes_on_dropping():
    model = nn.Sequential(nn.Linear(50, 50), nn.Dropout(0.5))
    x = np.ones(50)
    assert model.training
    assert (model(x).data != model(x).data).any()
    assert np.array_equal(model.eval()(x).data, model(x).data)


def test_data_that_were_edited_between_forward_and_backward_are_found_by_detect_anomaly():
    text = message(
        "with autograd.detect_anomaly():\n    loss = (w * w).sum(); w.data[0] = 9.0\n    loss.backward()", RuntimeError
    )
    assert "changed" in text


# ---- what looks like a mistake, and works


def test_pythons_own_functions_know_tensors():
    x = Tensor([1.0, 3.0, 2.0], requires_grad=True)
    (sum(x) + max(x) + sorted(x)[1]).backward()
    assert x.grad.tolist() == [1, 2, 2]
    assert f"{x.mean():.1f}" == "2.0"
    assert {x: "by identity"}[x] == "by identity"
    assert abs(-x).tolist() == [1, 3, 2]


def test_a_copied_model_learns_on_its_own():
    model = nn.Linear(2, 1)
    other = copy.deepcopy(model)
    other.weight.data += 1
    assert (other.weight.data != model.weight.data).all()


# ---- the table of other people's words

T = np.arange(1.0, 7.0).reshape(2, 3)


@pytest.mark.parametrize("theirs", advice.instead | advice.otherwise)
def test_a_word_of_pytorch_is_answered_with_ours(theirs):
    name = theirs.removeprefix("t.").partition("(")[0]
    with pytest.raises(AttributeError, match=re.escape(f"Instead of {theirs} write ")):
        getattr(Tensor(T), name)
    assert not hasattr(Tensor, name)
    assert name not in dir(Tensor(T))


@pytest.mark.parametrize("theirs", advice.instead)
def test_what_is_advised_computes_what_pytorch_computes(theirs):
    torch = pytest.importorskip("torch")
    expected = eval(theirs, {"t": torch.tensor(T), "dtype": torch.float32})
    ours = eval(advice.instead[theirs], {"t": Tensor(T), "dtype": np.float32, "np": np, "nn": nn})
    assert np.shape(ours) == np.shape(expected)
    assert np.allclose(ours.data if isinstance(ours, Tensor) else ours, np.asarray(expected))  # float32 is among them


def test_a_class_of_ones_own_may_have_the_absent_words():
    class Net(nn.Module):
        def fit(self):
            return "fitted"

    net = Net()
    net.predict = len
    assert net.fit() == "fitted"
    assert net.predict("abc") == 3
    assert {"fit", "predict"} <= set(dir(net))
    assert not hasattr(net, "compile")
    assert "compile" not in dir(net)
