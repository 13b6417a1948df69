"""Providers and formats by their names in the YAML: one file each, loaded when named."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

_KINDS = {
    "provider": ("bridge.providers", "Provider"),
    "format": ("bridge.formats", "Format"),
}


@dataclass(frozen=True, slots=True)
class Plugins:
    """The plugins that lie in `bridge/providers` and `bridge/formats`."""

    def names(self, kind: str) -> Sequence[str]:
        """Return the names of a kind (`provider`, `format`), in order; loads none."""
        spec = find_spec(_KINDS[kind][0])
        places = spec.submodule_search_locations if spec else None
        files = (module.name for module in iter_modules(places or []))
        return sorted(name.replace("_", "-") for name in files if not name.startswith("_"))

    def load(self, kind: str, name: str) -> type:
        """Return the plugin's frozen dataclass; raises KeyError for an unknown name."""
        package, plugin = _KINDS[kind]
        if name not in self.names(kind):
            raise KeyError(name)
        found: type = getattr(import_module(f"{package}.{name.replace('-', '_')}"), plugin)
        return found
