"""Products: einsum in every form that NumPy knows, and what does not fit."""

import numpy as np
import pytest

from autograd import Tensor, grad, gradcheck, products
from autograd.operations import table

b, c = np.random.default_rng(2).uniform(-1, 1, (2, 3, 3))
einsums = {
    "a product": ("ij,jk->ik", b, c),
    "implicit": ("ij,jk", b, c),
    "implicit, sorted": ("ba", b),
    "a trace": ("ii", b),
    "a diagonal": ("ii->i", b),
    "two diagonals": ("ii,ii->i", b, c),
    "a diagonal of a cube": ("iii->i", np.arange(8.0).reshape(2, 2, 2) / 8),
    "a sum": ("ij->", b),
    "a sum over one axis": ("ij->j", b),
    "a factor summed alone": ("i,j->j", b[0], c[0]),
    "a transpose": ("ij->ji", b),
    "an outer product": ("i,j->ij", b[0], c[0]),
    "elementwise": ("ij,ij->ij", b, c),
    "three": ("ij,jk,kl->il", b, c, b),
    "ellipsis": ("...i,...i->...", b, c),
    "ellipsis, implicit": ("...ij,jk", b, c),
    "ellipsis of unlike length": ("...i,i", b, c[0]),
    "ellipsis that broadcasts": ("...i,...i->...i", b[:1], c),
    "length one": ("ij,ij->ij", b[:, :1], c),
    "length one, summed": ("ij,ij->i", b[:, :1], c),
    "summed against length one": ("ij,ij->i", b, c[:, :1]),
    "blanks": ("i j, j k -> i k", b, c),
    "a number": (",i->i", np.array(2.0), b[0]),
    "a plain list": ("ij,j->i", b, [1.0, 2.0, 3.0]),
    "lists of labels": (b, [0, 1], c, [1, 2], [0, 2]),
    "lists of labels, implicit": (b, [1, 0], c, [0, 2]),
    "lists of labels with ellipsis": (b, [..., 0], c, [..., 0], [...]),
}


@pytest.mark.parametrize("args", einsums.values(), ids=einsums)
def test_einsum(args):
    def of(*arrays):
        arrays = iter(arrays)
        return np.einsum(*[next(arrays) if isinstance(x, np.ndarray) else x for x in args])

    arrays = [x for x in args if isinstance(x, np.ndarray)]
    found = of(*[Tensor(x, requires_grad=True) for x in arrays])
    np.testing.assert_array_equal(found.data, np.einsum(*args))
    assert gradcheck(of, *arrays, order=2)


def test_einsum_of_one_tensor_twice():
    t = Tensor(b, requires_grad=True)
    np.testing.assert_allclose(grad(np.einsum("ij,ij->", t, t), t)[0].data, 2 * b, rtol=1e-15)


def test_einsum_refuses_what_it_cannot_match():
    t = Tensor(b, requires_grad=True)
    with pytest.raises(ValueError, match="has 1 operands, but 2 in its subscripts"):
        np.einsum("ij,ij->ij", t)
    with pytest.raises(ValueError, match="needs it in its result"):
        np.einsum("i...->i", t)


def test_tensordot_and_cross_say_what_does_not_fit():
    t = Tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises(ValueError, match="differ in number or in length"):
        np.tensordot(t, t, axes=1)
    with pytest.raises(ValueError, match="vectors of length 3, not 2 and 2"):
        np.cross(t.T, t.T)
    with pytest.raises(ValueError, match="vectors of length 3, not 2 and 2"):
        np.cross(t[:, 0], t[:, 0])


def test_stacks_of_different_lengths_are_refused_in_numpys_own_words():
    a, b = np.ones((2, 3, 4)), np.ones((5, 4, 3))
    with pytest.raises(ValueError, match="broadcast") as numpys:
        a @ b
    with pytest.raises(ValueError, match="broadcast") as ours:
        Tensor(a, requires_grad=True) @ b
    assert str(ours.value) == str(numpys.value)


@pytest.mark.parametrize(("a", "b"), [((2, 2, 3), (2, 3)), ((2, 3), (2, 2, 3))])
def test_of_a_stack_no_transpose_is_offered(a, b):
    with pytest.raises(ValueError, match="must be equally long") as caught:
        Tensor(np.ones(a), requires_grad=True) @ np.ones(b)
    assert str(caught.value).endswith(f"{a} and {b}.")


def test_a_product_of_two_matrices_costs_two_products_going_back(monkeypatch):
    rule_a, rule_b = table[np.matmul].rules
    a, b, g = np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 4))
    monkeypatch.setattr(products, "matmul_left", None)
    monkeypatch.setattr(products, "matmul_right", None)
    assert rule_a(g, None, a, b).shape == a.shape
    assert rule_b(g, None, a, b).shape == b.shape
