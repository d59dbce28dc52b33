"""Nothing lives here: this folder notices HIPS/autograd, which is imported as ``autograd`` too.

pip lays two distributions that share an import name into one folder, without a word, and the ``__init__.py`` of
whichever came last stands among the modules of both. HIPS/autograd has a file ``core.py``, and its ``__init__.py``
imports ``autograd.core`` first, as ours does; Python prefers a folder ``core/`` to a file ``core.py``. So either order
of installation ends here, before anything else has run.
"""

import os

if os.path.exists(__path__[0] + ".py"):
    raise ImportError(
        f"""glassgrad and HIPS/autograd are mixed in {os.path.dirname(__path__[0])}

Both are imported as "autograd", so pip has put the files of both into that one folder, where neither can work.
Removing one is not enough, for the __init__.py that they shared goes with it. Remove both, then install glassgrad:

    python -m pip uninstall -y autograd glassgrad
    python -m pip install "PATH_TO_GLASSGRAD[viz]"

and restart Python. Or keep both, each in an environment of its own: python -m venv NAME."""
    )
