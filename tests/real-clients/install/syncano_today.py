"""Lets the client of 2016 be imported by the Python of today; the package itself stays as it was published.

Its metaclass makes every model from an almost empty namespace and adds the attributes afterwards. A method that says
`super` refers to its class through a cell, which Python hands to the metaclass as `__classcell__` and which `type`
fills. The metaclass never hands it on. Python 3.7 shrugged at that; since 3.8 it is an error. So the cell is filled
here, as soon as the class is there.

`syncano_today.pth`, beside this file in the virtual environment, makes Python import it at every start. To put both
there, run this file with the Python of the environment: `old/bin/python syncano_today.py`.
"""

import sys
from importlib.machinery import PathFinder, SourceFileLoader

MODULE = "syncano.models.archetypes"


def fill_class_cells(metaclass: type) -> None:
    original = metaclass.__new__

    def new(cls, name, bases, attributes):
        cell = attributes.pop("__classcell__", None)
        made = original(cls, name, bases, attributes)
        if cell is not None:
            cell.cell_contents = made
        return made

    metaclass.__new__ = staticmethod(new)


class Loader(SourceFileLoader):
    def exec_module(self, module) -> None:
        super().exec_module(module)
        fill_class_cells(module.ModelMetaclass)


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != MODULE:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = Loader(name, spec.origin)
        return spec


def install() -> None:
    """Copies this file to the packages of the Python that runs it."""
    import pathlib
    import shutil
    import sysconfig

    packages = pathlib.Path(sysconfig.get_path("purelib"))
    shutil.copy(__file__, packages / "syncano_today.py")
    (packages / "syncano_today.pth").write_text("import syncano_today\n")
    print(f"the client of 2016 can be imported by {sys.executable}")


if __name__ == "__main__":
    install()
else:
    sys.meta_path.insert(0, Finder)
