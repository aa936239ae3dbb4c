"""The code under test, as it stands or with one deliberate error in its source."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import msgspec

from tests.simulation import postgres

_MODULES = {
    "budget": "airouter.domain.budget",
    "lease": "airouter.domain.lease",
    "settlement": "airouter.services.settlement",
    "hold": "airouter.gateway.leases.hold",
    "batch": "airouter.gateway.leases.batch",
    "levels": "airouter.gateway.leases.levels",
    "book": "airouter.gateway.leases.book",
    "observer": "airouter.gateway.observer",
}


class Error(msgspec.Struct, frozen=True, kw_only=True):
    """One line changed: `old` stands exactly once in the module. `hint` is a seed that found it before."""

    name: str
    module: str
    old: str
    new: str
    hint: int = 0


def load(error: Error | None = None) -> SimpleNamespace:
    """Fresh copies of the modules, so that an error in one reaches the others and nothing else."""
    loaded = SimpleNamespace()
    kept = {name: importlib.import_module(name) for name in _MODULES.values()}
    try:
        for short, name in _MODULES.items():
            spec = importlib.util.find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            source = Path(spec.origin).read_text()
            if error is not None and error.module == short:
                assert source.count(error.old) == 1, (
                    f"{error.name}: {error.old!r} stands {source.count(error.old)} times"
                )
                source = source.replace(error.old, error.new)
            module = ModuleType(name)
            module.__file__ = spec.origin
            sys.modules[name] = module
            exec(compile(source, spec.origin, "exec"), module.__dict__)
            setattr(loaded, short, module)
    finally:
        sys.modules.update(kept)
    postgres.attach(loaded)
    return loaded
